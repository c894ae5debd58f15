"""Programs that are run as `python -m arc_solver.programs.NAME` and imported by nobody."""
