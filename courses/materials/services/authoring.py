"""Writing materials: opening one with its first version, changing it, a new version, order, deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.catalog.api import clean, save_changes, save_new
from courses.content.api import delete_unused, lock_module_of, put
from courses.content.models import Module
from courses.materials.models import CaptionTrack, Chapter, Material, MaterialVersion
from courses.materials.module_parts import material_parts
from courses.materials.uploads import Checked, checked_address, checked_upload

from .watching import finish_pct_of, finish_who_is_over

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Content:
    """What a version is to hold: an upload, or a video's HLS address; `duration_ms` where the file names none."""

    upload: UploadedFile | None = None
    hls_url: str = ""
    duration_ms: int | None = None


@transaction.atomic
def open_material(*, module_id: int, kind: str, content: Content, actor: User | None, **fields: Any) -> Material:
    """Add a material at the end of a module, with its first version (title, description, minutes, finish_pct, …).

    Raises NotFound, NotAllowed, InvalidInput, TooLarge.
    """
    module = lock_module_of(Module.objects.filter(pk=module_id), actor)
    last = Material.objects.filter(module=module).aggregate(last=Max("position"))["last"] or 0
    material = Material(module=module, kind=kind, position=last + 1, **fields)
    save_new(material, actor=actor)
    _add(material, content, actor, keep_words=False)
    return material


@transaction.atomic
def change_material(*, material_id: int, fields: Mapping[str, Any], actor: User | None) -> Material:
    """Change what is said about a material. Raises NotFound, NotAllowed, InvalidInput.

    A lower bar finishes those who reached it; a higher one takes nothing away.
    """
    material = _locked(material_id, actor)
    save_changes(material, fields, actor=actor)
    if material.kind == Material.Kind.VIDEO and "finish_pct" in fields:
        finish_who_is_over(Q(version__material=material), finish_pct_of(material))
    return material


@transaction.atomic
def save_material(
    *,
    material_id: int,
    fields: Mapping[str, Any],
    content: Content | None,
    actor: User | None,
    keep_words: bool = False,
) -> Material:
    """Change a material and, where there is `content`, give it a new version: all of it or nothing.

    Raises as `change_material` and `add_version`.
    """
    material = change_material(material_id=material_id, fields=fields, actor=actor)
    if content is not None:
        _add(material, content, actor, keep_words=keep_words)
    return material


@transaction.atomic
def add_version(*, material_id: int, content: Content, actor: User | None, keep_words: bool = False) -> MaterialVersion:
    """Replace what learners see; the versions before stay for staff. `keep_words`: take captions and chapters over.

    Raises NotFound, NotAllowed, InvalidInput, TooLarge, Conflict (same_file).
    """
    return _add(_locked(material_id, actor), content, actor, keep_words=keep_words)


@transaction.atomic
def move_material(*, material_id: int, to: str, actor: User | None) -> None:
    """Move a material within its module: `to` is "up", "down", "end" or the id of the one that is to follow.

    Raises NotFound, NotAllowed, Conflict (that one is gone).
    """
    module = lock_module_of(Module.objects.filter(materials=material_id), actor)
    put(Material.objects.filter(module=module), material_id, to, actor)


@transaction.atomic
def delete_material(*, material_id: int, actor: User | None) -> None:
    """Delete a material with its files. Raises NotFound, NotAllowed, Conflict (learners have used it)."""
    material = _locked(material_id, actor)
    names = [name for name in material.versions.values_list("file", flat=True) if name]
    delete_unused(material, material_parts(pk=material_id), actor)
    transaction.on_commit(lambda: _forget(names), robust=True)


def _locked(material_id: int, actor: User | None) -> Material:
    lock_module_of(Module.objects.filter(materials=material_id), actor)
    return Material.objects.select_for_update(of=("self",)).select_related("module__run").get(pk=material_id)


def _add(material: Material, content: Content, actor: User | None, *, keep_words: bool) -> MaterialVersion:
    before = MaterialVersion.objects.filter(material=material).order_by("-number").first()
    version = MaterialVersion(material=material, number=before.number + 1 if before else 1, uploader=actor)
    checked = _checked(material, content)
    if checked is None:
        version.hls_url, version.duration_ms = checked_address(content.hls_url), content.duration_ms
    else:
        if before is not None and before.sha256 == checked.sha256:
            raise Conflict(_("This is the file that is there already, byte by byte."), code="same_file")
        version.name, version.media_type, version.text = checked.name, checked.media_type, checked.text
        version.sha256, version.size_bytes = checked.sha256, checked.size_bytes
        version.duration_ms = checked.duration_ms or content.duration_ms
    if material.kind == Material.Kind.VIDEO and not version.duration_ms:
        words = _("Say how long the video is, as 12:34: the file does not say it, and credit is counted against it.")
        raise InvalidInput({"length": words})
    _store(version, checked)
    audit.record(actor=actor, verb="material.replaced", target=material, changes={"version": (None, version.number)})
    if before is not None and keep_words:
        _take_over(before, version)
    touch(material)
    return version


def touch(material: Material) -> None:
    """Say that what can be found of a material has changed."""
    material.changed_at = database_now()
    material.save(update_fields=["changed_at"])


def _checked(material: Material, content: Content) -> Checked | None:
    if content.upload is not None:
        return checked_upload(material.kind, content.upload)
    if material.kind == Material.Kind.VIDEO and content.hls_url:
        return None
    raise InvalidInput({"upload": _("Choose a file.")})


def _store(version: MaterialVersion, checked: Checked | None) -> None:
    """The file goes to the storage first; where the row cannot be written after all, it goes again."""
    if checked is None:
        clean(version)
        version.save()
        return
    # The name on the disk tells nothing of what the uploader called it.
    stored = default_storage.save(f"materials/{version.material_id}/{checked.sha256[:32]}", checked.upload)
    try:
        version.file.name = stored
        clean(version)
        version.save()
    except BaseException:
        default_storage.delete(stored)
        raise


def _take_over(before: MaterialVersion, version: MaterialVersion) -> None:
    """Copy captions and chapters: the same lesson, filmed or cut anew. What lies beyond the end is left out."""
    end = version.duration_ms or 0
    CaptionTrack.objects.bulk_create(
        CaptionTrack(
            version=version, language=one.language, cues=one.cues, transcript=one.transcript, uploader=one.uploader
        )
        for one in before.captions.all()
    )
    Chapter.objects.bulk_create(
        Chapter(version=version, at_ms=one.at_ms, title=one.title) for one in before.chapters.all() if one.at_ms < end
    )


def _forget(names: Sequence[str]) -> None:
    """Delete files that no version needs any more; a copied run's versions share theirs."""
    kept = set(MaterialVersion.objects.filter(file__in=names).values_list("file", flat=True))
    for name in set(names) - kept:
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.warning("material_left_behind", name=name, error=str(error))
