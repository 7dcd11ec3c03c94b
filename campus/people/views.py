"""A person's own page: profile, security, API tokens."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods, require_POST
from knox.models import get_token_model

from .adapters import remember
from .models import RoleGrant, User
from .requests import SignedInRequest
from .services import update_profile

MAX_TOKENS = 20


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("name", "language", "theme")
        labels = {"name": gettext_lazy("Name"), "language": gettext_lazy("Language"), "theme": gettext_lazy("Theme")}


@require_http_methods(["GET", "POST"])
def profile(request: SignedInRequest) -> HttpResponse:
    """Show and change one's own profile."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("name", "language", "theme")}
        changed = update_profile(user=User.objects.get(pk=user.pk), **fields)
        response = redirect("people:profile")
        remember(response, request, changed)
        with override(changed.language):
            messages.success(request, _("Saved."))
        return response
    context = {
        "form": form,
        "grants": RoleGrant.objects.filter(user=user).select_related("scope"),
        "tokens": get_token_model().objects.filter(user=user).order_by("-created"),
        "new_token": request.session.pop("new_token", None),
        "max_tokens": MAX_TOKENS,
    }
    return render(request, "people/profile.html", context, status=400 if form.errors else 200)


@require_POST
def create_token(request: SignedInRequest) -> HttpResponse:
    """Make an API token; it is shown once, on the page that follows."""
    model = get_token_model()
    if model.objects.filter(user=request.user).count() >= MAX_TOKENS:
        messages.error(
            request, _("You have %(count)d tokens. Revoke one that you no longer use.") % {"count": MAX_TOKENS}
        )
    else:
        _instance, token = model.objects.create(user=request.user)
        request.session["new_token"] = token
    return redirect("people:profile")


@require_POST
def revoke_token(request: SignedInRequest, token_key: str) -> HttpResponse:
    """Revoke one of one's own tokens, named by the part of it that we keep."""
    get_object_or_404(get_token_model(), user=request.user, token_key=token_key).delete()
    messages.success(request, _("The token no longer works."))
    return redirect("people:profile")
