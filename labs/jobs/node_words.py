"""Why a file that a run left was not kept, in the reader's language: a node says it in English, and so it is stored."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campus.core.sayings import Sayings

_REASONS = Sayings(
    {
        "a link": gettext_lazy("it is a link"),
        "no regular file": gettext_lazy("it is no ordinary file"),
        "a file with several names": gettext_lazy("it has several names (hard links)"),
        "not readable": gettext_lazy("it could not be read"),
        "the same name twice": gettext_lazy("another file has the same name"),
        r"more than (?P<most>\d+) files": gettext_lazy("more than %(most)s files"),
        r"more than (?P<most>\d+) names": gettext_lazy("more than %(most)s names in all"),
        r"more than (?P<most>\d+) MiB in all": gettext_lazy("more than %(most)s MiB in all"),
        r"deeper than (?P<most>\d+) folders": gettext_lazy("deeper than %(most)s folders"),
        r"path longer than (?P<most>\d+) bytes": gettext_lazy("its path is longer than %(most)s bytes"),
        r"name with control characters or .*": gettext_lazy("its name has control characters or is no UTF-8"),
        "name with a backslash": gettext_lazy("its name has a backslash"),
        "name that begins or ends with a space": gettext_lazy("a name in its path begins or ends with a space"),
        r"and (?P<most>\d+) more": gettext_lazy("and %(most)s more"),
        "it did not arrive in full": gettext_lazy("it did not arrive in full"),
    }
)
_REFUSED = "the campus refused it: "


def why_not_kept(said: str) -> str:
    """Translate a node's reason; one that is not known stays as it was said."""
    if said.startswith(_REFUSED):
        return _("the campus refused it: %(why)s") % {"why": said.removeprefix(_REFUSED)}
    return _REASONS.words(said)
