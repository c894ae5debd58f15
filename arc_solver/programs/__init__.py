"""Programs to be run as `python -m arc_solver.programs.NAME`; no other package imports them."""
