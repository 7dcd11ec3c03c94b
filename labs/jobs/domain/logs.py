"""Adding to a log whose chunks may arrive twice, overlapping, or after a lost answer."""


class LogGap(ValueError):
    """Bytes before this chunk are missing; `next_start` is where the log ends."""

    def __init__(self, next_start: int) -> None:
        super().__init__(f"the log ends at {next_start}")
        self.next_start = next_start


def new_part(stored: int, start: int, content: bytes, most: int) -> bytes:
    """Return what of `content` (whose first byte is byte `start` of the log) lies behind the `stored` bytes.

    What goes beyond `most` bytes is dropped. Raises LogGap if it begins behind the end of a log that is not full.
    """
    if stored >= most:
        return b""
    if start > stored:
        raise LogGap(stored)
    return content[stored - start : most - start]
