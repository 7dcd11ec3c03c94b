"""How many attempts are left. What the platform failed, or staff gave back, does not count."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempts:
    """`left` is None where any number may be made."""

    made: int
    returned: int
    allowed: int | None

    @property
    def counted(self) -> int:
        return self.made - self.returned

    @property
    def left(self) -> int | None:
        return None if self.allowed is None else max(self.allowed - self.counted, 0)

    @property
    def is_used_up(self) -> bool:
        return self.left == 0
