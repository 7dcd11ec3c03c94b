"""What is wrong in a requirements file, in words that say how to put it right."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campus.core.errors import Text
from campus.core.formats import file_size

from .domain.requirements import Problem

_WORDS: Mapping[str, Text] = {
    "too_large": gettext_lazy("The file is larger than %(most)s."),
    "not_text": gettext_lazy("There are control characters in it. Choose a text file."),
    "empty": gettext_lazy("It names no package."),
    "option": gettext_lazy("“%(said)s” is an option. Name packages and their hashes only; nodes choose the index."),
    "elsewhere": gettext_lazy("“%(said)s” names a file or an address. Name a package of the index."),
    "unpinned": gettext_lazy("“%(name)s” is not pinned to one version. Write %(name)s==VERSION."),
    "unreadable": gettext_lazy("“%(said)s” cannot be read. Write NAME==VERSION with its hashes."),
    "bad_hash": gettext_lazy("A hash of “%(name)s” is wrong. Write --hash=sha256: and 64 hexadecimal digits."),
    "no_hash": gettext_lazy("“%(name)s” has no hash. Compile the file with: uv pip compile --generate-hashes"),
    "twice": gettext_lazy("“%(name)s” is in line %(first)s already. Take one out."),
}


def words_of(problem: Problem) -> str:
    """The sentence, with the line where there is one."""
    facts = dict(problem.facts)
    if problem.code == "too_large":
        facts["most"] = file_size(int(facts["most"]))
    words = str(_WORDS[problem.code]) % facts
    return words if problem.line is None else _("Line %(line)s: %(words)s") % {"line": problem.line, "words": words}
