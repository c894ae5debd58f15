"""`python -m arc_solver` is `arc-solve`."""

from arc_solver.cli import main

if __name__ == "__main__":
    main()
