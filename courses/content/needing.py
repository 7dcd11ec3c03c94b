"""Which modules are to be finished before another opens."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput
from campus.people.models import User

from .domain.release import ring
from .models import Module, ModuleNeed


def need_first(*, module: Module, needs: Collection[int], actor: User | None) -> None:
    """Let `module` open after `needs`, ids of modules of its run. The caller holds the run's lock.

    Raises InvalidInput (field `needs`: another run's module, or a ring).
    """
    titles = dict(Module.objects.filter(run_id=module.run_id).values_list("pk", "title"))
    wanted = set(needs)
    if not wanted <= titles.keys():
        raise InvalidInput({"needs": _("Choose modules of this course.")})
    edges: dict[int, set[int]] = {}
    for one, other in ModuleNeed.objects.filter(module__run_id=module.run_id).values_list("module_id", "needs_id"):
        edges.setdefault(one, set()).add(other)
    before = edges.get(module.pk, set())
    if wanted == before:
        return
    found = ring({module.pk: wanted} | {one: others for one, others in edges.items() if one != module.pk})
    if found:
        names = " → ".join(f"“{titles[pk]}”" for pk in (*found, found[0]))
        words = _("These modules would wait for each other, and none would ever open: %(names)s.")
        raise InvalidInput({"needs": words % {"names": names}}, code="ring")
    ModuleNeed.objects.filter(module=module, needs_id__in=before - wanted).delete()
    ModuleNeed.objects.bulk_create(ModuleNeed(module=module, needs_id=pk) for pk in sorted(wanted - before))
    was, now = (sorted(titles[pk] for pk in ids) for ids in (before, wanted))
    audit.record(actor=actor, verb="module.needs_changed", target=module, changes={"needs": (was, now)})
