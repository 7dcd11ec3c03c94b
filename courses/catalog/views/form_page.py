"""A page that is one form: draw it, or save it and go on."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from campus.core.errors import CampusError
from campus.core.form_errors import add_service_error


def form_page(
    request: HttpRequest,
    form: forms.BaseForm,
    save: Callable[[dict[str, Any]], str],
    *,
    title: str,
    back: str,
    hint: str = "",
    done: str = "",
    template: str = "catalog/form.html",
    **context: Any,
) -> HttpResponse:
    """Show `form`, or call `save(cleaned_data)`, which returns where to go; a service's error goes onto the form."""
    if request.method == "POST" and form.is_valid():
        try:
            url = save(form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, done or _("Saved."))
            return redirect(url)
    context |= {"form": form, "title": title, "back": back, "hint": hint}
    return render(request, template, context, status=400 if form.errors else 200)
