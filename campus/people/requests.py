"""A request as views behind the sign-in see it: somebody is signed in, so `user` is a person."""

from django.http import HttpRequest

from .models import User


class SignedInRequest(HttpRequest):
    """For annotations only: Django makes the request, LoginRequiredMiddleware the promise."""

    user: User
