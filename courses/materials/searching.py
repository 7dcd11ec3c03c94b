"""What can be searched of materials: their own words, what is said in a video, what a text or notebook holds."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from .models import CaptionTrack, Material, MaterialVersion


@dataclass(frozen=True)
class MaterialText:
    """A material with the words of its newest version, plain text."""

    material: Material
    text: str


def texts_of(material_ids: Collection[int] | None) -> list[MaterialText]:
    """Return some materials, or all, with `module` at hand, and what can be found of each. Three queries."""
    materials = Material.objects.select_related("module").order_by("pk")
    if material_ids is not None:
        materials = materials.filter(pk__in=material_ids)
    newest = MaterialVersion.objects.order_by("material_id", "-number").distinct("material_id")
    if material_ids is not None:
        newest = newest.filter(material__in=material_ids)
    versions = {pk: (material_id, text) for pk, material_id, text in newest.values_list("pk", "material_id", "text")}
    words: dict[int, list[str]] = defaultdict(list)
    for material_id, text in versions.values():
        words[material_id].append(text)
    for version_id, transcript in CaptionTrack.objects.filter(version__in=versions).values_list(
        "version_id", "transcript"
    ):
        words[versions[version_id][0]].append(transcript)
    return [
        MaterialText(one, "\n\n".join(text for text in (one.description, *words[one.pk]) if text)) for one in materials
    ]
