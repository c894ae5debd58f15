"""The error of a foreign checkpoint."""


class ConvertError(ValueError):
    """The file is not a published checkpoint of a known layout; the text is one line."""

    exit_code = 3
