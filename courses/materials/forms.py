"""Forms of materials: what is said about one and what it holds, its words, and the bar of a run."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.core.formats import file_size

from .domain.times import length_ms
from .models import CaptionTrack, Material, WatchRule
from .services.authoring import Content

_ACCEPT = {"VIDEO": ".mp4,.webm,video/mp4,video/webm", "FILE": "", "NOTEBOOK": ".ipynb"}
_size = lazy(file_size, str)


class MaterialForm(forms.ModelForm):
    """A material of one kind; a new one needs something to hold. `content()` is what is to be kept, if anything is."""

    upload = forms.FileField(label=pgettext_lazy("material", "File"), required=False)
    hls_url = forms.URLField(
        label=_("or its HLS address"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("https://….m3u8, played in every browser. Its host must let other sites fetch it (CORS)."),
    )
    length = forms.CharField(
        label=_("Length"),
        required=False,
        max_length=10,
        help_text=_("As 12:34. Only where the file does not say it itself."),
    )
    keep_words = forms.BooleanField(
        label=_("Keep captions and chapters for the new version"), required=False, initial=True
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 8, "class": "mono", "data-editor": "markdown"}),
        help_text=_("Markdown, shown below it."),
    )

    class Meta:
        model = Material
        fields = ("title", "minutes", "description", "finish_pct", "is_published")

    field_order = (
        "title",
        "upload",
        "hls_url",
        "length",
        "keep_words",
        "minutes",
        "description",
        "finish_pct",
        "is_published",
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        upload = self.fields["upload"]
        upload.widget.attrs["accept"] = _ACCEPT[kind]
        upload.help_text = _("At most %(most)s.") % {"most": _size(settings.MATERIALS_MAX_BYTES[kind])}
        if self.instance.pk:
            upload.label = _("Replace it by a new version")
        else:
            del self.fields["keep_words"]
        if kind != Material.Kind.VIDEO:
            for name in ("hls_url", "length", "finish_pct", "keep_words"):
                self.fields.pop(name, None)
        elif not settings.MATERIALS_HLS_ORIGINS:
            del self.fields["hls_url"]
        if not self.instance.pk and "hls_url" not in self.fields:
            upload.required = True

    def clean_length(self) -> int | None:
        said = self.cleaned_data["length"]
        found = length_ms(said)
        if said and found is None:
            raise forms.ValidationError(_text("Write the length as 12:34 or 1:02:03."))
        return found

    def content(self) -> Content | None:
        """Return what the new version is to hold; None where nothing was given."""
        said = self.cleaned_data
        upload, address = said.get("upload"), said.get("hls_url", "")
        return Content(upload, "" if upload else address, said.get("length")) if upload or address else None

    def facts(self) -> dict[str, Any]:
        """Return what is said about the material."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.Meta.fields}


class CaptionForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=CaptionTrack.Language.choices)
    captions = forms.FileField(
        label=_("WebVTT file"),
        widget=forms.FileInput({"accept": ".vtt,text/vtt"}),
        help_text=_("UTF-8, at most 512 KB."),
    )


class ChaptersForm(forms.Form):
    chapters = forms.CharField(
        label=_("Chapters"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 6, "class": "mono"}),
        help_text=_("A line each: 02:30 Title. Empty: no chapters."),
    )
    chapter_file = forms.FileField(
        label=_("or a file of chapters (WebVTT)"),
        required=False,
        widget=forms.FileInput({"accept": ".vtt,text/vtt"}),
        help_text=_("UTF-8, at most 512 KB. It takes the place of the lines above."),
    )


class WatchRuleForm(forms.ModelForm):
    class Meta:
        model = WatchRule
        fields = ("finish_pct",)
