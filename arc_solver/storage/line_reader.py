"""The lines of a text file, which may be gzipped, large or standard input, one at a time within limits."""

import re
from collections.abc import Iterator
from pathlib import Path

from arc_solver.storage.source import open_source
from arc_solver.storage.text import DataError, label_of

MAX_BYTES = 2**30
MAX_LINE, MAX_LINES = 2**17, 20_000_000
_BOM = "\ufeff"
_AFTER_RETURN = re.compile(r"(?<=\r)(?!\n|\Z)")


def read_lines(source: Path | str) -> Iterator[str]:
    """The lines of a file, or of standard input for "-", with line ends and without a byte order mark.

    DataError if the source cannot be read, is no UTF-8, or exceeds MAX_LINE, MAX_LINES or MAX_BYTES.
    """
    label = label_of(source)
    number, size = 0, 0
    with open_source(source) as stream:
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            size += len(line)
            if len(line) > MAX_LINE:
                raise DataError(f"{label} row {number}: longer than {MAX_LINE} bytes")
            if size > MAX_BYTES:
                raise DataError(f"{label}: larger than {MAX_BYTES >> 20} MB; split it")
            if number > MAX_LINES:
                raise DataError(f"{label}: over {MAX_LINES:,} lines; split it")
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(f"{label} row {number}: not UTF-8; save it as UTF-8") from error
            text = text.removeprefix(_BOM) if number == 1 else text
            yield from _AFTER_RETURN.split(text) if "\r" in text[:-2] else [text]
