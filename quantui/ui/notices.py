"""What there is to say in the line above the footer: what is wrong, then the answer to a key."""


class Notices:
    """Each part says one thing at a time; empty where there is nothing to say."""

    def __init__(self) -> None:
        self.lost = ""
        """Why the collector cannot be reached."""
        self.slow = ""
        """That the terminal is slow, and what follows from it."""
        self.told = ""
        """The answer to a key."""

    def text(self) -> str:
        """All of it in one line."""
        lost = f"{self.lost}; trying again" if self.lost else ""
        return "; ".join(part for part in (lost, self.slow, self.told) if part)
