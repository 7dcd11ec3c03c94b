"""Words to be found in Korean and English: folding, grams for the index, stems of what is asked, and what to mark.

Korean joins particles to words and is written without a fixed place between parts of compounds, so that words are no
units to look for. The index holds grams: one to three syllables, three letters. A question is cut to its stem
("데이터를" asks for "데이터"); a text answers where it holds every gram of it. Up to three syllables or letters that is
exact; a longer stem could be told from its parts in other places only by reading every text.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

MOST_TERMS = 8
LONGEST_TERM = 40

_CHARACTERS = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3"
_RUNS = re.compile(rf"([{_CHARACTERS}]+)|((?:(?![{_CHARACTERS}])[^\W_])+)")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
#: Particles and the copula as they follow a noun; longer ones first. One syllable is never left of a Korean word.
_PARTICLES = sorted(
    (
        *("은", "는", "이", "가", "을", "를", "의", "에", "도", "만", "과", "와", "로", "으로", "에서", "에게", "께서"),
        *(
            "부터",
            "까지",
            "처럼",
            "보다",
            "마다",
            "조차",
            "밖에",
            "라도",
            "이라도",
            "이나",
            "나",
            "에는",
            "에도",
            "에만",
        ),
        *(
            "에서는",
            "에서도",
            "으로는",
            "로는",
            "으로도",
            "로도",
            "과의",
            "와의",
            "에서의",
            "으로의",
            "로의",
            "이란",
            "란",
        ),
        *("이라는", "라는", "하고", "이다", "입니다", "인", "들", "들은", "들이", "들을", "들의"),
    ),
    key=len,
    reverse=True,
)


@dataclass(frozen=True)
class Term:
    """A word of a question: as it was typed, and the stem that must be found."""

    full: str
    stem: str


def tidy(text: str) -> str:
    """Return a text in one spelling (NFKC) with single spaces: what is stored, shown and looked through."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\x00", " ").split())


def fold(text: str) -> str:
    """Return a tidy text in small letters, each in the place that it had."""
    small = text.lower()
    if len(small) == len(text) and "Σ" not in text:  # no letter became two, or another at a word's end
        return small
    return "".join(small if len(small := one.lower()) == 1 else one for one in text)


def grams(folded: str) -> set[str]:
    """Return what the index holds of a folded text."""
    found: set[str] = set()
    for syllables, letters in set(_RUNS.findall(folded)):
        if syllables:
            found.update(syllables[at : at + size] for size in (1, 2, 3) for at in range(len(syllables) - size + 1))
        elif len(letters) < 3:
            found.add(letters)
        else:
            found.update(letters[at : at + 3] for at in range(len(letters) - 2))
    return found


def numbers(found: Iterable[str]) -> list[int]:
    """Return grams as the index holds them: a number of 31 bits each. Two seldom share one."""
    return sorted({crc32(gram.encode()) & 0x7FFFFFFF for gram in found})


def needed(terms: Iterable[Term]) -> set[str]:
    """Return the grams that a text must have to answer: of each run of a stem the longest that the index holds."""
    found: set[str] = set()
    for term in terms:
        for syllables, letters in _RUNS.findall(term.stem):
            run = syllables or letters
            found.update(run[at : at + 3] for at in range(max(1, len(run) - 2)))
    return found


def terms_of(question: str) -> tuple[Term, ...]:
    """Return the words of a question, each once, at most MOST_TERMS."""
    words = re.findall(r"[^\W_]+(?:[-.+#'][^\W_]+)*[+#]*", fold(tidy(question)))
    found = {word: Term(word, stem(word)) for one in words if (word := one[:LONGEST_TERM])}
    return tuple(list(found.values())[:MOST_TERMS])


def stem(word: str) -> str:
    """Return a folded word without its Korean particle, or without an English plural's s."""
    for particle in _PARTICLES:
        if word.endswith(particle):
            left = word.removesuffix(particle)
            if len(left) >= 2 or (left and not _SYLLABLE.match(left[-1])):
                return left
    if len(word) > 3 and word.isascii() and word.endswith("s") and not word.endswith(("ss", "is")):
        return word[:-1]
    return word


Marked = tuple[tuple[str, bool], ...]


def mark(text: str, terms: Sequence[Term]) -> Marked:
    """Return a text as parts (text, whether it was asked for). The longest that fits is marked."""
    folded = fold(text)
    wanted = sorted({one for term in terms for one in (term.full, term.stem) if one}, key=len, reverse=True)
    if not wanted:
        return ((text, False),) if text else ()
    found, last = [], 0
    for hit in re.finditer("|".join(map(re.escape, wanted)), folded):
        if hit.start() > last:
            found.append((text[last : hit.start()], False))
        found.append((text[hit.start() : hit.end()], True))
        last = hit.end()
    if last < len(text):
        found.append((text[last:], False))
    return tuple(found)


def excerpt(text: str, terms: Sequence[Term], before: int = 50, around: int = 220) -> str:
    """Return the part of a tidy text in which the first word is found, cut at spaces."""
    folded = fold(text)
    places = [at for term in terms if (at := folded.find(term.stem)) >= 0]
    start = max(0, min(places, default=0) - before)
    found = text[start : start + around]
    if start:
        found = "… " + found.partition(" ")[2]
    return found.rpartition(" ")[0] + " …" if start + around < len(text) else found
