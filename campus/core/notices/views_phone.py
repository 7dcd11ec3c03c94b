"""One's phone number on the page of notice choices: asking for a code, typing it in, taking the number away."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campus.core.errors import CampusError
from campus.core.form_errors import add_service_error

from .domain import numbers
from .phone_card import CodeForm, PhoneForm
from .phone_codes import confirm_code, forget_phone, send_code
from .views_choices import choices_page


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Send a code."""
    form = PhoneForm(request.POST, auto_id="phone_%s")
    if form.is_valid():
        try:
            check = send_code(user_id=request.user.pk or 0, phone=form.cleaned_data["phone"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("A code was sent to %(number)s.") % {"number": numbers.shown(check.phone)})
            return redirect("notice-choices")
    return choices_page(request, status=400, phone_form=form)


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Take the code."""
    form = CodeForm(request.POST, auto_id="phone_%s")
    if form.is_valid():
        try:
            number = confirm_code(user_id=request.user.pk or 0, code=form.cleaned_data["code"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("%(number)s is yours.") % {"number": numbers.shown(number)})
            return redirect("notice-choices")
    return choices_page(request, status=400, code_form=form)


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Take the number away."""
    forget_phone(user_id=request.user.pk or 0)
    messages.success(request, _("Your number is removed. Nothing goes to a phone any longer."))
    return redirect("notice-choices")
