"""How forms are drawn, and the code editor's several files read back."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import construct_instance
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext as _

_SAFE_PATH = re.compile(r"^(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[^\\\x00-\x1f]{1,200}$")


class CampusFormRenderer(TemplatesSetting):
    """Draws forms and fields from `core/forms/`: label, field, help, errors, in that order."""

    form_template_name = "core/forms/form.html"
    field_template_name = "core/forms/field.html"
    formset_template_name = "core/forms/formset.html"


class ServiceModelForm(forms.ModelForm):
    """A model's form that checks single fields only.

    Uniqueness and constraints are the service's, which says what exists already in better words (`clashes`).
    """

    def _post_clean(self) -> None:
        exclude = self._get_validation_exclusions()  # type: ignore[attr-defined]
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        try:
            self.instance.clean_fields(exclude=exclude)
        except ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]


def editor_files(post: Mapping[str, Any], *, prefix: str = "files") -> dict[str, str]:
    """Read what `{% editor_files %}` posted: path to text, in order; rows without a path are left out.

    Raises ValidationError for a path that is doubled, absolute or climbs with "..".
    """
    files: dict[str, str] = {}
    index = 0
    while f"{prefix}-{index}-text" in post:
        path = str(post.get(f"{prefix}-{index}-path", "")).strip()
        text = str(post[f"{prefix}-{index}-text"]).replace("\r\n", "\n")
        index += 1
        if not path:
            continue
        if not _SAFE_PATH.match(path):
            raise ValidationError(_("“%(path)s” is not a usable file name."), params={"path": path})
        if path in files:
            raise ValidationError(_("There are two files named “%(path)s”."), params={"path": path})
        files[path] = text
    return files
