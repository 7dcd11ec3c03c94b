"""Forms of campuses, buildings and rooms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.core.forms import ServiceModelForm

from .models import Building, Campus, Room


class CampusForm(ServiceModelForm):
    class Meta:
        model = Campus
        fields = ("name_ko", "name_en", "address", "timezone", "is_open")


class NewCampusForm(ServiceModelForm):
    class Meta:
        model = Campus
        fields = ("name_ko", "name_en", "slug", "address", "timezone")
        help_texts = {"slug": _("Used in addresses and node names: jeju, jeonnam.")}


class BuildingForm(ServiceModelForm):
    class Meta:
        model = Building
        fields = ("name_ko", "name_en")


class RoomForm(ServiceModelForm):
    equipment = forms.CharField(
        label=_("Equipment"),
        required=False,
        max_length=600,
        help_text=_("Separated by commas: projector, camera, 40 desks with power."),
    )

    class Meta:
        model = Room
        fields = ("name_ko", "name_en", "floor", "capacity", "equipment", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["equipment"] = ", ".join(self.instance.equipment)

    def clean_equipment(self) -> list[str]:
        return [piece.strip()[:60] for piece in self.cleaned_data["equipment"].split(",") if piece.strip()]
