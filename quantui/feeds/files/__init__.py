"""Recorded trades and bars: every format of the documentation, told apart by content. Files are untrusted."""

from quantui.feeds.files.errors import FileError

__all__ = ["FileError"]
