"""Forms of the administrator's pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.people.access import ADMINISTERING, Role, Standing
from campus.people.models import RoleGrant
from infra.pool.models import Site

from .selectors import scopes_for


class PeopleFilter(forms.Form):
    q = forms.CharField(label=_("Name, e-mail or number"), required=False, max_length=100)
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", _("Everyone")), ("LEARNER", _("Learner")), *Role.choices]
    )


class GrantForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=RoleGrant.Role.choices)
    scope = forms.ModelChoiceField(label=_("Where"), queryset=None)

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].queryset = scopes_for(standing)  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class AuditFilter(forms.Form):
    q = forms.CharField(label=_("Person or thing"), required=False, max_length=100)
    verb = forms.CharField(label=_("What happened"), required=False, max_length=60)


class NodeForm(forms.Form):
    site = forms.ModelChoiceField(label=_("Site"), queryset=None)
    name = forms.SlugField(label=_("Name"), max_length=60, help_text=_("For example yongin-02."))

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = Site.objects.select_related("campus")
        if not standing.is_platform_admin:
            sites = sites.filter(campus__scope__path__overlap=standing.scope_ids(ADMINISTERING))
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]
