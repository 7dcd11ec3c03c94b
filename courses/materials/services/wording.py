"""A video's words: captions in a language, and chapters."""

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotFound
from campus.core.formats import file_size
from campus.people.models import User
from courses.catalog.api import get_editable_run
from courses.materials.domain import chapters, webvtt
from courses.materials.domain.times import BadTimedText
from courses.materials.models import CaptionTrack, Chapter, Material, MaterialVersion

from .authoring import touch

Cues = tuple[webvtt.Cue, ...]


@transaction.atomic
def save_captions(*, material_id: int, language: str, upload: UploadedFile, actor: User | None) -> CaptionTrack:
    """Set the captions of a video's newest version in one language; those before are replaced.

    Raises NotFound, NotAllowed, InvalidInput (language, captions).
    """
    version = _newest(material_id, actor)
    if language not in CaptionTrack.Language.values:
        raise InvalidInput({"language": _("Choose a language.")})
    cues = read_captions(upload, version.duration_ms or 0)
    made, _is_new = CaptionTrack.objects.update_or_create(
        version=version, language=language,
        defaults={
            "cues": [[cue.start_ms, cue.end_ms, cue.text] for cue in cues],
            "transcript": webvtt.transcript(cues),
            "uploader": actor,
        },
    )  # fmt: skip
    touch(version.material)
    audit.record(actor=actor, verb="material.captioned", target=version.material, changes={"captions": ("", language)})
    return made


@transaction.atomic
def remove_captions(*, material_id: int, language: str, actor: User | None) -> None:
    """Take the captions in one language away. Raises NotFound, NotAllowed."""
    version = _newest(material_id, actor)
    if not CaptionTrack.objects.filter(version=version, language=language).delete()[0]:
        raise NotFound
    touch(version.material)
    audit.record(actor=actor, verb="material.captioned", target=version.material, changes={"captions": (language, "")})


@transaction.atomic
def save_chapters(
    *, material_id: int, text: str = "", upload: UploadedFile | None = None, actor: User | None
) -> None:  # fmt: skip
    """Set a video's chapters: of a WebVTT file, or a line each. Those before are replaced.

    Raises NotFound, NotAllowed, InvalidInput (chapters, or chapter_file for a file).
    """
    version = _newest(material_id, actor)
    name = "chapter_file" if upload else "chapters"
    try:
        marks = chapters.read_file(_content(upload)) if upload else chapters.read(text)
    except BadTimedText as refusal:
        raise InvalidInput({name: _words(refusal)}) from refusal
    if marks and marks[-1].at_ms >= (version.duration_ms or 0):
        raise InvalidInput({name: _("“%(title)s” begins after the video ends.") % {"title": marks[-1].title}})
    before = chapters.write([chapters.ChapterMark(one.at_ms, one.title) for one in version.chapters.all()])
    version.chapters.all().delete()
    Chapter.objects.bulk_create(Chapter(version=version, at_ms=one.at_ms, title=one.title) for one in marks)
    changes = {"chapters": (before, chapters.write(marks))}
    audit.record(actor=actor, verb="material.chaptered", target=version.material, changes=changes)


def read_captions(upload: UploadedFile, duration_ms: int) -> Cues:
    """Read a WebVTT file for a video of that length. Raises InvalidInput (captions)."""
    try:
        cues = webvtt.read(_content(upload))
    except BadTimedText as refusal:
        raise InvalidInput({"captions": _words(refusal)}) from refusal
    if cues[-1].start_ms >= duration_ms:
        raise InvalidInput({"captions": _("These captions go on after the video ends. Are they of another one?")})
    return cues


def _newest(material_id: int, actor: User | None) -> MaterialVersion:
    material = (
        Material.objects.select_for_update(of=("self",)).select_related("module__run")
        .filter(pk=material_id, kind=Material.Kind.VIDEO).first()
    )  # fmt: skip
    if material is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, material.module.run)
    version = MaterialVersion.objects.filter(material=material).order_by("-number").first()
    if version is None:
        raise NotFound
    version.material = material
    return version


def _content(upload: UploadedFile) -> bytes:
    return bytes(upload.read(webvtt.MAX_BYTES + 1))


def _words(refusal: BadTimedText) -> str:
    said = {
        "too_large": _("A WebVTT file may be %(most)s at most.") % {"most": file_size(webvtt.MAX_BYTES)},
        "not_utf8": _("This file is not in UTF-8."),
        "no_header": _("A WebVTT file begins with the line WEBVTT. Subtitles in SRT must be converted first."),
        "empty": _("This WebVTT file says nothing."),
        "out_of_order": _("What begins in line %(line)d begins before the one above it."),
        "overlaps": _("The chapter in line %(line)d begins before the one above it ends."),
        "no_timing": _("Line %(line)d should say when, as 00:01.000 --> 00:04.000."),
        "ends_before_it_starts": _("What begins in line %(line)d ends before it begins."),
        "no_words": _("Nothing is said at line %(line)d."),
        "too_long": _("The caption at line %(line)d is too long to be read."),
        "title_too_long": _("The title in line %(line)d is longer than %(most)d characters."),
        "not_a_chapter": _("Line %(line)d should be a time and a title, as 02:30 Gradient descent."),
        "too_many": _("From line %(line)d on it is more than may be kept."),
    }[refusal.code]
    return said % {"line": refusal.line, "most": chapters.MOST_TITLE} if "%(line)d" in said else said
