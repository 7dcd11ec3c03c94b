"""Sessions in the database, and the person behind one: what every request of a page reads first."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import DateTimeField
from django.utils import timezone

from campus.core.compiled import Compiled, Given

from .models import User

_KEPT = Compiled(
    lambda: Session.objects.filter(session_key=Given("key"), expire_date__gt=Given("now", DateTimeField())).order_by()
)
_PERSON = Compiled(lambda: User.objects.filter(pk=Given("pk")).order_by())


class SessionStore(db.SessionStore):
    """Django's, whose one read is compiled."""

    def _get_session_from_db(self) -> Any:
        found = _KEPT.model(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found


class SignIn(AuthenticationBackend):
    """Signs in as allauth does; the read that finds a session's person again is compiled."""

    def get_user(self, user_id: int) -> User | None:
        user: User | None = _PERSON.model(pk=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
