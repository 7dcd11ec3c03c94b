"""Forms of the administrator's pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.people.access import ADMINISTERING, Role, Standing
from campus.people.models import RoleGrant, Scope, User
from infra.pool.models import Site

from .audit_words import AREAS
from .selectors import scopes_for

#: What a campus administrator may make of people.
APPOINTABLE = [(role.value, role.label) for role in (RoleGrant.Role.ASSISTANT, RoleGrant.Role.INSTRUCTOR)]


class PeopleFilter(forms.Form):
    q = forms.CharField(label=_("Name, e-mail or number"), required=False, max_length=100)
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", _("Everyone")), ("LEARNER", _("Learner")), *Role.choices]
    )


class ScopeField(forms.ModelChoiceField):
    """Names a scope with those above it: cohorts of two campuses may be called alike."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.parent.name} · {obj.name}" if obj.kind == Scope.Kind.COHORT else obj.name


class GrantForm(forms.Form):
    """A role and where it is held, as far as this administrator may appoint."""

    role = forms.ChoiceField(label=_("Role"))
    scope = ScopeField(label=_("Where"), queryset=None)

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = RoleGrant.Role.choices if standing.is_platform_admin else APPOINTABLE
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["scope"].queryset = scopes_for(standing)  # type: ignore[attr-defined]


class AppointForm(GrantForm):
    """The same for somebody who is not on this administrator's list yet."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, help_text=_("The one they sign in with. They must have signed up before.")
    )

    field_order = ("email", "role", "scope")

    def clean_email(self) -> User:
        """Return the person."""
        found = User.objects.filter(email=self.cleaned_data["email"].strip().lower(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(
                _("Nobody has signed up with this e-mail. Ask them to sign up, then try again.")
            )
        return found


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200)


class AuditFilter(forms.Form):
    q = forms.CharField(label=_("Person or thing"), required=False, max_length=100)
    area = forms.ChoiceField(
        label=_("About"),
        required=False,
        choices=[("", _("Everything")), *((key, name) for key, (name, _verbs) in AREAS.items())],
    )


class NodeForm(forms.Form):
    site: Any = forms.ModelChoiceField(label=_("Site"), queryset=None)
    name = forms.SlugField(label=_("Name"), max_length=60, help_text=_("For example yongin-02."))

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = Site.objects.select_related("campus")
        if not standing.is_platform_admin:
            sites = sites.filter(campus__scope__path__overlap=standing.scope_ids(ADMINISTERING))
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]
