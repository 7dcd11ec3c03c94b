"""What a copied run takes over of materials: the newest version of each with its captions and chapters, and the bar."""

from django.utils.translation import gettext_lazy as _

from campus.people.models import User
from courses.catalog.api import Copied, Copier, Line, Shift
from courses.catalog.models import CourseRun

from .models import CaptionTrack, Chapter, Material, MaterialVersion, WatchRule

_MATERIAL = ("position", "kind", "title", "description", "minutes", "finish_pct", "is_published")
_VERSION = ("file", "hls_url", "name", "media_type", "sha256", "size_bytes", "duration_ms", "text")


def lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the materials; they have no dates. One query."""
    found = Material.objects.filter(module__run=run).order_by("module__position", "position")
    return [Line(title) for title in found.values_list("title", flat=True)]


def copy(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Copy materials, their newest versions and words. Nine queries. The bytes are kept once."""
    modules = copied.of("module")
    materials = list(Material.objects.filter(module__run=source).order_by("pk"))
    made = Material.objects.bulk_create(
        Material(module_id=modules[one.module_id], **{name: getattr(one, name) for name in _MATERIAL})
        for one in materials
    )
    ids = {old.pk: new.pk for old, new in zip(materials, made, strict=True)}
    copied.keep("material", ids)
    newest = MaterialVersion.objects.filter(material__in=ids).order_by("material_id", "-number")
    versions = list(newest.distinct("material_id"))
    new_versions = MaterialVersion.objects.bulk_create(
        MaterialVersion(
            material_id=ids[one.material_id], number=1, uploader=actor,
            **{name: getattr(one, name) for name in _VERSION},
        )
        for one in versions
    )  # fmt: skip
    _copy_words({old.pk: new.pk for old, new in zip(versions, new_versions, strict=True)})
    for pct in WatchRule.objects.filter(run=source).values_list("finish_pct", flat=True):
        WatchRule.objects.create(run=target, finish_pct=pct)


def _copy_words(versions: dict[int, int]) -> None:
    CaptionTrack.objects.bulk_create(
        CaptionTrack(
            version_id=versions[one.version_id], language=one.language, cues=one.cues, transcript=one.transcript,
            uploader_id=one.uploader_id,
        )
        for one in CaptionTrack.objects.filter(version__in=versions)
    )  # fmt: skip
    Chapter.objects.bulk_create(
        Chapter(version_id=versions[one.version_id], at_ms=one.at_ms, title=one.title)
        for one in Chapter.objects.filter(version__in=versions)
    )


COPIER = Copier("materials", _("Videos, files and notebooks"), lines, copy, needs=("content",), order=15)
