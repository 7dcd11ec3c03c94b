"""Pictures and files of lessons: taking them in."""

from hashlib import sha256

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput
from campus.people.models import User

from .domain.files import MOST_BYTES, MOST_FILES, free_name, picture_type, safe_name
from .models import LessonFile
from .writing import lock_lesson


@transaction.atomic
def add_file(*, lesson_id: int, upload: UploadedFile, actor: User | None) -> LessonFile:
    """Keep a file with a lesson. The same bytes under the same name are kept once; other bytes get a name of their own.

    Raises NotFound, NotAllowed, InvalidInput (field `files`: too large, too many, empty).
    """
    lesson = lock_lesson(lesson_id, actor)
    size = upload.size or 0
    if not 0 < size <= MOST_BYTES:
        raise InvalidInput({"files": _("“%(name)s”: a file has from 1 byte to 20 MB.") % {"name": upload.name}})
    digest, head = sha256(), upload.read(12)
    upload.seek(0)
    for part in upload.chunks():
        digest.update(part)
    wanted = safe_name(upload.name or "")
    taken = {one.name: one for one in lesson.files.all()}
    if wanted in taken and taken[wanted].digest == digest.hexdigest():
        return taken[wanted]
    if len(taken) >= MOST_FILES:
        raise InvalidInput({"files": _("A lesson holds at most %(n)d files.") % {"n": MOST_FILES}})
    made = LessonFile(
        lesson=lesson, name=free_name(wanted, taken), size_bytes=size, digest=digest.hexdigest(),
        media_type=picture_type(head), author=actor,
    )  # fmt: skip
    made.file.save(f"{lesson.pk}-{made.digest[:24]}", upload, save=False)
    made.save()
    audit.record(actor=actor, verb="lesson.file_added", target=lesson, changes={"file": ("", made.name)})
    return made
