"""Putting the error of a service back onto the form that caused it."""

from django import forms

from .errors import CampusError, InvalidInput


def add_service_error(form: forms.BaseForm, error: CampusError) -> None:
    """Show `error` on `form`: beside each field that it names, else above the form."""
    if isinstance(error, InvalidInput) and error.fields:
        for name, texts in error.fields.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, str(text))
    else:
        form.add_error(None, str(error.message))
