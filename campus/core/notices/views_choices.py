"""How one wants to be told: the settings page, and the link in each e-mail that ends its kind."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campus.core.errors import InvalidInput
from campus.core.form_errors import add_service_error
from campus.core.models import NoticeSettings, Way

from .choices import DIGEST, Chosen, choices_of, read_token, save_choices, unsubscribe
from .phone_card import phone_card
from .phones import phone_topics
from .topics import GROUPS, offered_to, topic_of


class ChoicesForm(forms.Form):
    """One field a topic, in the order of the page; topics that must come have none, nor those offered to others."""

    digest_hour = forms.TypedChoiceField(
        label=gettext_lazy("The daily e-mail comes at"), coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        help_text=gettext_lazy("Campus time. There is none on a day without news."),
    )  # fmt: skip

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen, self._to_phone = choices_of(request.user.pk or 0), phone_topics()
        self.offered = offered_to(request)
        for name, topic in self.offered.items():
            if not topic.must:
                self.fields[name] = forms.ChoiceField(
                    label=str(topic.label), choices=Way.choices, initial=self.chosen[name].way
                )
            if name in self._to_phone:
                self.fields[f"{name}-phone"] = forms.BooleanField(
                    label=gettext_lazy("To my phone too"), required=False, initial=self.chosen[name].to_phone
                )

    def groups(self) -> list[dict[str, Any]]:
        """What the template draws: headings with their topics."""
        drawn = []
        for group, label in GROUPS.items():
            rows = [self._row(name) for name, topic in self.offered.items() if topic.group == group]
            if rows:
                drawn.append({"name": group, "label": label, "rows": rows})
        return drawn

    def _row(self, name: str) -> dict[str, Any]:
        phone = f"{name}-phone"
        field, to_phone = (self[key] if key in self.fields else None for key in (name, phone))
        return {"topic": self.offered[name], "field": field, "to_phone": to_phone}

    def choices(self) -> dict[str, Chosen]:
        """Return what was chosen for the topics that the page offered."""
        said, kept = self.cleaned_data, self.chosen
        return {
            name: Chosen(said.get(name, kept[name].way), said.get(f"{name}-phone", kept[name].to_phone))
            for name in self.offered
        }


@require_http_methods(["GET", "POST"])
def notice_choices(request: HttpRequest) -> HttpResponse:
    """Show and change how one is told of what."""
    form = ChoicesForm(request.POST or None, initial=_initial(request), request=request)
    if request.method == "POST" and form.is_valid() and _saved(request, form):
        messages.success(request, _("Saved."))
        return redirect("notice-choices")
    return choices_page(request, form, status=400 if request.method == "POST" else 200)


def choices_page(
    request: HttpRequest, form: ChoicesForm | None = None, *, status: int = 200, **phone_forms: forms.Form
) -> HttpResponse:
    """Draw the page with a form of its own, or with those of the phone's card."""
    form = form or ChoicesForm(initial=_initial(request), request=request)
    context = {"form": form, "groups": form.groups(), "phone": phone_card(request.user.pk or 0, **phone_forms)}
    return render(request, "core/notice_choices.html", context, status=status)


def _initial(request: HttpRequest) -> dict[str, Any]:
    kept = NoticeSettings.objects.filter(user_id=request.user.pk or 0).first() or NoticeSettings()
    return {"digest_hour": kept.digest_hour}


def _saved(request: HttpRequest, form: ChoicesForm) -> bool:
    try:
        save_choices(
            user_id=request.user.pk or 0, chosen=form.choices(), digest_hour=form.cleaned_data["digest_hour"]
        )  # fmt: skip
    except InvalidInput as error:
        add_service_error(form, error)
        return False
    return True


@csrf_exempt  # a mail program posts here by itself (RFC 8058); the signed token is what allows it
@login_not_required
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once on GET, since mail scanners follow links; stop the e-mails on POST."""
    _user_id, topic = read_token(token)
    if request.method == "POST":
        unsubscribe(token=token)
    label = _("The daily e-mail") if topic == DIGEST else topic_of(topic).label
    return render(request, "core/notice_stop.html", {"label": label, "is_done": request.method == "POST"})
