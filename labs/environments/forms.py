"""Forms of environments and data sets."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .domain.requirements import MAX_BYTES


class _OfferedForm(forms.Form):
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120, required=False)
    slug = forms.SlugField(label=_("Address"), max_length=60)
    description = forms.CharField(
        label=_("Description"), max_length=2_000, required=False, widget=forms.Textarea({"rows": 3})
    )


class EnvironmentForm(_OfferedForm):
    """A requirements file, chosen or pasted."""

    slug = forms.SlugField(
        label=_("Address"), max_length=60, help_text=_("Programs and the API name it so: small letters and hyphens.")
    )
    file = forms.FileField(label=_("Requirements file"), required=False)
    requirements = forms.CharField(
        label=_("Or paste it here"),
        required=False,
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea({"rows": 14, "class": "mono", "data-editor": "text"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        upload = given.pop("file", None)
        if upload is not None and upload.size > MAX_BYTES:
            self.add_error("requirements", _("The file is larger than 1 MB."))
        elif upload is not None:
            try:
                given["requirements"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("requirements", _("This is no UTF-8 text. Choose a requirements file."))
        elif not given.get("requirements", "").strip() and "requirements" not in self.errors:
            self.add_error("requirements", _("Choose a file, or paste its lines."))
        return given


class DataSetForm(_OfferedForm):
    """What is said of a data set; its files are read by the view."""

    slug = forms.SlugField(
        label=_("Address"), max_length=60, help_text=_("A program reads the files below /data/ADDRESS.")
    )
    licence = forms.CharField(label=_("Licence"), max_length=120, required=False, help_text=_("For example CC BY 4.0."))
