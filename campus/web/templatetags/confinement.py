"""Why a node refuses learners' code, in the reader's language: a node says it in English, and so it is stored."""

from django import template
from django.utils.translation import gettext_lazy

from campus.core.sayings import Sayings

register = template.Library()

_REFUSALS = Sayings(
    {
        r"bubblewrap (?P<version>\S+) or newer is missing: (?P<command>.+)": gettext_lazy(
            "bubblewrap %(version)s or newer is missing. Install it: %(command)s"
        ),
        "libseccomp is missing: (?P<command>.+)": gettext_lazy("libseccomp is missing. Install it: %(command)s"),
        r"learners' code cannot be held to a memory limit: (?P<why>.+)\. Run as root, or under systemd with "
        r"(?P<command>.+), or set (?P<setting>\S+) and trust every learner": gettext_lazy(
            "Learners' code cannot be held to a memory limit (%(why)s). Run the agent as root, or under systemd "
            "with %(command)s. Where you trust every learner, set %(setting)s."
        ),
    }
)


@register.filter
def confinement_words(detail: str) -> str:
    """Translate what a node misses, joined by semicolons; what is not known stays as it was said."""
    return " ".join(map(_REFUSALS.words, detail.split("; "))) if detail else ""
