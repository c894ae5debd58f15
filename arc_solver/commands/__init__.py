"""One module per verb of the command line. Typer at module level, everything else inside functions."""
