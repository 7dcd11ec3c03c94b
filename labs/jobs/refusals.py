"""Why a submitted file is refused, in words that say how to put it right."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput, Text
from campus.core.formats import file_size

from .domain.paths import BadFile
from .domain.sweeps import BadSweep

_WORDS: Mapping[str, Text] = {
    "not_a_zip": _("This is no zip archive that can be read. Make a new one and upload that."),
    "no_files": _("There is no file to run. Add at least one Python file."),
    "too_many_files": _("%(given)s files are too many; at most %(most)s are taken. Leave data and packages out."),
    "too_large": _("Together the files are larger than %(most_size)s. Leave out data, models and pictures."),
    "encrypted": _("“%(path)s” is encrypted. Make the archive again without a password."),
    "link": _("“%(path)s” is a link or a device. Put the file itself into the archive."),
    "method": _("“%(path)s” is packed in a way that is not taken. Make the archive with ordinary zip compression."),
    "bomb": _("“%(path)s” unpacks to far more than its packed size. Leave it out."),
    "lying_size": _("“%(path)s” has another size than the archive says. Make the archive again."),
    "damaged": _("“%(path)s” is damaged. Make the archive again."),
    "empty_name": _("A file has no name. Give each file a name."),
    "backslash": _("“%(path)s” has a backslash in its name. Use / between folders."),
    "absolute": _("“%(path)s” begins at the root of a disk. Use names relative to your project."),
    "parent": _("“%(path)s” leads out of the project or has an empty part. Take “.”, “..” and “//” out of its name."),
    "control_character": _("“%(path)s” has an invisible character in its name. Rename the file."),
    "name_too_long": _("The name “%(path)s…” is too long; a path has at most %(most)s characters."),
    "too_deep": _("“%(path)s” lies too deep; at most %(most)s levels are taken."),
    "duplicate": _("“%(path)s” and “%(other)s” have the same name but for capital letters. Rename one."),
    "file_is_folder": _("“%(other)s” is a file, and “%(path)s” needs it to be a folder. Rename one."),
    "entrypoint_missing": _("There is no file “%(path)s” among those you sent. Choose one of: %(scripts)s."),
    "entrypoint_not_python": _("“%(path)s” is no Python file. Choose a file whose name ends in .py."),
    "entrypoint_empty": _("“%(path)s” is empty. Write the program, or choose another file."),
    "entrypoint_not_utf8": _("“%(path)s” is not UTF-8 text (line %(line)s). Save it as UTF-8 and send it again."),
    "entrypoint_nul": _("“%(path)s” has a NUL byte in it, so it is no Python text. Save it as text and send it again."),
}
_NO_SCRIPT: Text = _("There is no file “%(path)s” among those you sent, and no other Python file. Add it.")


def words_of(refusal: BadFile) -> Text:
    """The sentence for people, translated when it is shown."""
    facts: dict[str, Any] = {"path": refusal.path, **refusal.facts}
    if isinstance(most := facts.get("most"), int):
        facts["most_size"] = file_size(most)
    words = _WORDS[refusal.code]
    if refusal.code == "entrypoint_missing" and not facts["scripts"]:
        words = _NO_SCRIPT
    return format_lazy("{}", _Filled(words, facts))


class _Filled:
    """A translated sentence with its facts, put together in the reader's language."""

    def __init__(self, words: Text, facts: Mapping[str, Any]) -> None:
        self._words, self._facts = words, facts

    def __str__(self) -> str:
        return str(self._words) % self._facts


def refused(refusal: BadFile) -> InvalidInput:
    """The error that services raise for it; `facts.path` names the file."""
    field = "entrypoint" if refusal.code.startswith("entrypoint") else "files"
    facts = {"path": refusal.path} if refusal.path else {}
    return InvalidInput({field: words_of(refusal)}, code=f"file_{refusal.code}", facts=facts)


_SWEEP_WORDS: Mapping[str, Text] = {
    "no_parameters": _("Name at least one parameter and its values."),
    "too_many_names": _("A sweep has at most %(most)s parameters."),
    "bad_name": _(
        "“%(name)s” cannot be a parameter's name. Begin with a letter; use letters, digits and _, at most %(most)s."
    ),
    "doubled_name": _("“%(name)s” is there twice (capital letters make no difference). Rename one."),
    "no_values": _("“%(name)s” has no values. Give at least one."),
    "empty_value": _("There is nothing between two commas. Take one comma out, or write the missing value."),
    "too_many_values": _("A parameter has at most %(most)s values."),
    "bad_value": _("“%(name)s” has a value that is no number, no true or false, and no text of 1 to %(most)s letters."),
    "doubled_value": _(
        "“%(name)s” has the value %(value)s twice. To repeat a run, add a parameter of its own, such as seed."
    ),
    "too_many_runs": _("That makes %(given)s runs; a sweep has at most %(most)s. Take some values out."),
    "other_names": _("Point %(place)s does not name exactly these parameters: %(names)s."),
    "doubled_point": _("Point %(place)s is there twice. To repeat a run, add a parameter of its own, such as seed."),
}


def sweep_words(refusal: BadSweep) -> Text:
    """The sentence for people, translated when it is shown."""
    return format_lazy("{}", _Filled(_SWEEP_WORDS[refusal.code], {"name": refusal.name, **refusal.facts}))
