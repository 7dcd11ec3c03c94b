"""Adding environments and data sets, and offering them or not. What jobs may have used is never changed or deleted."""

import tempfile
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.people.api import standing_of
from campus.people.models import User
from infra.executors.contract import EnvironmentSpec

from .archives import Packed, pack
from .domain.requirements import parse_requirements
from .in_use import Offered, needed_by
from .models import DataSet, Environment
from .problems import words_of


def add_environment(
    *, slug: str, name_ko: str, name_en: str = "", description: str = "", requirements: str, actor: User | None
) -> Environment:
    """Add an environment of packages that are pinned with hashes; a node builds it when a job first needs it.

    Raises NotAllowed (administrators only), InvalidInput (fields named; what is wrong in which line).
    """
    _require(standing_of(actor).is_administering if actor is not None else True)
    read = parse_requirements(requirements)
    if read.problems:
        raise InvalidInput({"requirements": [words_of(problem) for problem in read.problems]})
    environment = Environment(
        slug=slug,
        name_ko=name_ko,
        name_en=name_en,
        description=description,
        requirements=read.text,
        digest=EnvironmentSpec(read.text, settings.LABS_PYTHON).digest,
    )
    _check_new(environment, "requirements")
    with transaction.atomic():
        _save_new(environment, actor)
    return environment


def add_data_set(
    *,
    slug: str,
    name_ko: str,
    name_en: str = "",
    description: str = "",
    licence: str = "",
    uploads: Sequence[UploadedFile],
    actor: User | None,
) -> DataSet:
    """Add a data set of one zip or of files; nodes fetch it when a job first needs it.

    Raises NotAllowed (administrators only), InvalidInput (fields named).
    """
    _require(standing_of(actor).is_administering if actor is not None else True)
    data_set = DataSet(slug=slug, name_ko=name_ko, name_en=name_en, description=description, licence=licence)
    with tempfile.TemporaryFile() as target:
        packed = pack(uploads, target)
        data_set.digest, data_set.size_bytes, data_set.file_count = packed.digest, packed.size_bytes, packed.file_count
        _check_new(data_set, "files")
        _keep(data_set, packed, actor)
    return data_set


@transaction.atomic
def set_offered(*, target: Offered, is_offered: bool, actor: User) -> None:
    """Offer an environment or a data set to new jobs, or not any more; jobs that were submitted go on.

    Raises NotFound, NotAllowed (platform administrators only), Conflict (labs need it).
    """
    _require(standing_of(actor).is_platform_admin)
    found: Any = type(target)._default_manager.select_for_update().filter(pk=target.pk).first()
    if found is None:
        raise NotFound
    if found.is_active == is_offered:
        return
    needs = [] if is_offered else needed_by(found)
    if needs:
        words = _("Labs of running terms need it: %(labs)s. Let them use another one first.")
        raise Conflict(words % {"labs": ", ".join(f"“{title}”" for title in needs[:10])}, code="in_use")
    found.is_active = is_offered
    found.save(update_fields=["is_active"])
    verb = f"{found._meta.model_name}.{'offered' if is_offered else 'retired'}"
    audit.record(actor=actor, verb=verb, target=found)


def _keep(data_set: DataSet, packed: Packed, actor: User | None) -> None:
    """Store the file, then the row; without the row no file stays."""
    data_set.archive.save(f"{data_set.slug}.zip", File(packed.archive), save=False)
    try:
        with transaction.atomic():
            _save_new(data_set, actor)
    except BaseException:
        data_set.archive.delete(save=False)
        raise


def _check_new(target: Offered, content: str) -> None:
    """Raise InvalidInput for bad fields, and name what has the same address or the same `content`."""
    fields: dict[str, Any] = {}
    try:
        target.clean_fields(exclude={"archive", "digest"})
    except ValidationError as error:
        fields = {name: list(texts) for name, texts in error.message_dict.items()}
    others = type(target)._default_manager
    if "slug" not in fields and (other := others.filter(slug=target.slug).first()):
        words = _("“%(slug)s” is in use already, by “%(other)s”. Choose another address.")
        fields["slug"] = words % {"slug": target.slug, "other": other}
    if same := others.filter(digest=target.digest).first():
        words = _("“%(other)s” (%(slug)s) has exactly this content. Use that one.")
        if not same.is_active:
            words = _("“%(other)s” (%(slug)s) has exactly this content and is retired. Offer that one again.")
        fields[content] = words % {"other": same, "slug": same.slug}
    if fields:
        raise InvalidInput(fields)


def _save_new(target: Offered, actor: User | None) -> None:
    try:
        with transaction.atomic():
            target.save(force_insert=True)
    except IntegrityError as error:  # somebody added the same one in this moment
        raise Conflict(_("Somebody has just added one like it. Look at the list.")) from error
    audit.record(actor=actor, verb=f"{target._meta.model_name}.added", target=target)


def _require(may: bool) -> None:
    if not may:
        raise NotAllowed(_("Only an administrator may do that."))
