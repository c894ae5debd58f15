"""What goes wrong with foreign checkpoints."""


class ConvertError(ValueError):
    """A file that is no published checkpoint of a known layout; the text is one line."""

    exit_code = 3
