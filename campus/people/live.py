"""Websockets of pages that are shown by what a person may see."""

from collections.abc import Iterable

from campus.core.live import LiveSocket

from .access import Standing, standing_of
from .models import User


class LiveConsumer(LiveSocket):
    """A live socket that is checked by the person's standing."""

    def check_user(self, user: User) -> Iterable[str]:
        """Check by standing."""
        return self.check(standing_of(user))

    def check(self, standing: Standing) -> Iterable[str]:
        """Check access and return the groups to join; runs on a database thread, again and again. Raises NotFound."""
        raise NotImplementedError
