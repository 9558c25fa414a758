"""What is wrong with a file, in one line."""

from quantui.text import safe


class FileError(ValueError):
    """A file cannot be used: which one, where in it, and why."""

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        where = safe(name, 200) if line is None else f"{safe(name, 200)}, line {line}"
        super().__init__(f"{where}: {safe(reason, 300)}")
        self.line = line
        """Line number, 1 being the first; None where the file has no lines or the whole of it is meant."""


class BadRowError(ValueError):
    """One row cannot be used; the reader that knows file and line turns it into a `FileError` or counts it."""
