"""Words in Korean and English: particles and plurals hide nothing, and what is marked is what stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.search.domain.plain import plain
from courses.search.domain.words import Term, fold, grams, mark, needed, stem, terms_of, tidy

TEXTS = st.text(alphabet="가나다데이터를는GPUlabs 10-_.한ﬁ①İß\n", max_size=40)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("데이터를", "데이터"), ("데이터에서는", "데이터"), ("경사하강법은", "경사하강법"), ("gpu를", "gpu"),
     ("labs", "lab"), ("loss", "loss"), ("class", "class"), ("나는", "나는"), ("사과", "사과"), ("데이터", "데이터"),
     ("수", "수"), ("is", "is")],
)  # fmt: skip
def test_a_word_is_cut_to_its_stem_but_never_to_one_syllable(typed, expected):
    assert stem(typed) == expected


@pytest.mark.parametrize(
    ("question", "text"),
    [("데이터를", "데이터"), ("데이터", "데이터를 나눈다"), ("하강법", "경사하강법을"), ("GPU", "gpu로"),
     ("gpus", "one GPU"), ("gpu를", "gpu 8개"), ("gradi", "gradients"), ("수", "함수"), ("ai", "AI 입문"),
     ("ＧＰＵ", "GPU"), ("한", "한")],
)  # fmt: skip
def test_what_is_asked_is_in_the_grams_of_what_answers(question, text):
    terms, folded = terms_of(question), fold(tidy(text))
    assert needed(terms) <= grams(folded)
    assert all(term.stem in folded for term in terms)


@given(TEXTS, st.integers(0, 40), st.integers(1, 10))
def test_every_part_of_a_text_is_found_by_its_grams(text, start, length):
    folded = fold(tidy(text))
    runs = "".join(one if one.isalnum() else " " for one in folded).split()
    for run in runs:
        # A few letters inside a longer word are too little to look for; syllables never are.
        part = run[start % len(run) :][:length]
        if part and not part.isascii() and all("가" <= one <= "힣" for one in part):
            assert needed([Term(part, part)]) <= grams(folded)


@given(TEXTS)
def test_folding_keeps_every_letter_in_its_place(text):
    assert len(fold(tidy(text))) == len(tidy(text))
    assert tidy(tidy(text)) == tidy(text)


@given(TEXTS, TEXTS)
def test_marking_loses_and_adds_nothing(text, question):
    clean, terms = tidy(text), terms_of(question)
    parts = mark(clean, terms)
    assert "".join(part for part, _hit in parts) == clean
    assert all(fold(part) in {one for term in terms for one in (term.full, term.stem)} for part, hit in parts if hit)


def test_the_longest_that_fits_is_marked():
    assert mark("데이터를 나눈 데이터", terms_of("데이터를")) == (
        ("데이터를", True),
        (" 나눈 ", False),
        ("데이터", True),
    )


def test_words_are_few_and_each_once():
    assert terms_of("가나 가나 다라") == (Term("가나", "가나"), Term("다라", "다라"))
    assert len(terms_of(" ".join(f"말{n}" for n in range(30)))) == 8
    assert terms_of("?! …") == ()


def test_of_markdown_the_words_stay():
    text = plain(
        "# 제목\n- [ ] **굵게** [링크](https://x.kr/) ![곡선](files/a.png)\n```python\nx = 1\n```\n|a|b|\n|--|--|"
    )
    assert tidy(text) == "제목 굵게 링크 곡선 x = 1 a b"
