"""What a what-if tried and found, in words and as a chart."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core import formats

from .domain.what_if import Effect
from .what_if import Row, Wish


def headline(effect: Effect, *, is_changed: bool) -> str:
    """What the change does, in one sentence."""
    if not effect.jobs:
        return _("No job waits, so nobody's wait would change")
    mean = _wait(effect.mean_after_s)
    if not is_changed:
        return _("%(jobs)d jobs, %(mean)s of waiting on average") % {"jobs": effect.jobs, "mean": mean}
    if not effect.sooner and not effect.later:
        return _("Nobody's wait would change: %(mean)s on average") % {"mean": mean}
    parts = []
    if effect.sooner:
        parts.append(ngettext("%(n)d job starts sooner", "%(n)d jobs start sooner", effect.sooner))
        parts[-1] %= {"n": effect.sooner}
    if effect.later:
        parts.append(ngettext("%(n)d job starts later", "%(n)d jobs start later", effect.later))
        parts[-1] %= {"n": effect.later}
    facts = {"what": ", ".join(parts), "before": _wait(effect.mean_before_s), "after": mean}
    return _("%(what)s: %(before)s of waiting on average becomes %(after)s") % facts


def words(effect: Effect) -> dict[str, Any]:
    """An effect's figures in words; `tone` says whether it is for the better."""
    before, after = effect.mean_before_s, effect.mean_after_s
    change = "" if before is None or after is None else formats.duration(after - before)
    stuck_more = effect.not_started_after - effect.not_started_before
    is_better = effect.sooner > effect.later
    return {
        "before": _wait(before),
        "after": _wait(after),
        "change": change if effect.sooner or effect.later else "",
        "longest": _wait(effect.longest_after_s),
        "stuck": effect.not_started_after,
        "tone": "neutral" if effect.sooner == effect.later else "ok" if is_better and stuck_more <= 0 else "warn",
        "icon": "minus" if effect.sooner == effect.later else "arrow-down" if is_better else "arrow-up",
    }


def tried(wish: Wish) -> list[str]:
    """Each change in words, with what it is now where that is a figure of the account."""
    said: list[str] = []
    name = wish.account.name if wish.account else ""
    cap = wish.account.max_running_gpus if wish.account else None
    now = _("no cap now") if cap is None else _("%(gpus)s now") % {"gpus": cap}
    if wish.lifts_cap:
        said.append(_("%(name)s: no cap on GPUs at once (%(now)s)") % {"name": name, "now": now})
    elif wish.max_running_gpus is not None:
        known = {"name": name, "gpus": wish.max_running_gpus, "now": now}
        said.append(_("%(name)s: at most %(gpus)s GPUs at once (%(now)s)") % known)
    if wish.account and wish.weight:
        known = {"name": name, "weight": wish.weight, "now": wish.account.weight}
        said.append(_("%(name)s: weight %(weight)s (%(now)s now)") % known)
    if wish.gpu_hours:
        hours = formats.number(float(wish.gpu_hours), 1)
        said.append(_("%(name)s: %(hours)s GPU-hours more") % {"name": name, "hours": hours})
    if wish.learner_cap:
        said.append(_("each learner: at most %(gpus)s GPUs at once") % {"gpus": wish.learner_cap})
    if wish.power_site and wish.power_cap_w is not None:
        cap_w = wish.power_site.power_cap_w
        now = _("no cap now") if cap_w is None else _("%(watts)s W now") % {"watts": formats.number(cap_w)}
        known = {"site": wish.power_site.name, "watts": formats.number(wish.power_cap_w), "now": now}
        said.append(_("%(site)s: at most %(watts)s W (%(now)s)") % known)
    if wish.drained:
        said.append(_("drained: %(nodes)s") % {"nodes": ", ".join(node.name for node in wish.drained)})
    if wish.like and wish.nodes_added:
        words = ngettext("%(n)s node more like %(node)s", "%(n)s nodes more like %(node)s", wish.nodes_added)
        said.append(words % {"n": wish.nodes_added, "node": wish.like.name})
    return said + _tried_classes(wish)


def _tried_classes(wish: Wish) -> list[str]:
    said = [_("“%(title)s” given up") % {"title": row.title} for row in wish.given_up]
    if wish.account and wish.class_gpus and wish.class_site and wish.class_from:
        known = {
            "gpus": wish.class_gpus,
            "site": wish.class_site.name,
            "name": wish.account.name,
            "from": formats.campus_time(wish.class_from),
            "minutes": formats.duration(60 * (wish.class_minutes or 0)),
        }
        said.append(_("%(gpus)s GPUs at %(site)s kept for %(name)s, %(from)s, %(minutes)s") % known)
    return said


def _wait(seconds: float | None) -> str:
    return "—" if seconds is None else formats.duration(seconds)


def chart_of(rows: list[Row]) -> dict[str, Any]:
    def minutes(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds / 60, 1)

    return {
        "kind": "bar",
        "x": [row.name for row in rows],
        "x_name": _("Cohort"),
        "series": [
            {"name": _("as it is"), "values": [minutes(row.effect.mean_before_s) for row in rows]},
            {"name": _("with the change"), "values": [minutes(row.effect.mean_after_s) for row in rows]},
        ],
    }
