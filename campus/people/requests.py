"""A request as views behind the sign-in see it: somebody is signed in, so `user` is a person."""

from django.http import HttpRequest

from .access import standing_of
from .models import User


class SignedInRequest(HttpRequest):
    """For annotations only: Django makes the request, LoginRequiredMiddleware the promise."""

    user: User


def teaches(request: HttpRequest) -> bool:
    """Say whether this person teaches or administers anywhere; for navigation and settings. No query of its own."""
    return standing_of(request.user).is_teaching
