"""Forms of people: what allauth's sign-up asks besides e-mail and password."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .adapters import language_of
from .models import User


class SignupForm(forms.Form):
    """Adds the name. allauth calls `signup` once its own fields are saved."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("As on the class list, family name first: 김하늘, Lovelace Ada.")
    )

    field_order = ("name", "email", "password1", "password2")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"].strip()
        user.language = language_of(request)
        user.save(update_fields=["name", "language"])
