"""Every reason for waiting has a sentence, and one on what ends it, in both languages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from labs.scheduling.domain.decisions import WaitFacts, WaitReason
from labs.scheduling.words import BECAUSE, ENDS, wait_ends_when, waits_because

FACTS = WaitFacts(
    gpus_wanted=4,
    gpus_free_on_one_node=2,
    gpus_most_on_one_node=3,
    gpu_type="H100",
    site_id=1,
    node_id=UUID(int=7),
    account_id=9,
    cap=8,
    running_gpus=6,
    until_at=1_760_000_000.0,
    watts_wanted=300.0,
    watts_free=10.0,
).as_json()
NAMES = {"node_id": "yongin-01", "site_id": "Yongin", "account_id": "Vision A", "reservation_id": "Reading week"}


@pytest.mark.parametrize("facts", [FACTS, WaitFacts(gpus_wanted=1).as_json(), {}])
@pytest.mark.parametrize("reason", list(WaitReason))
def test_each_reason_and_its_end_are_said_in_korean_and_in_english(reason: WaitReason, facts: dict[str, Any]) -> None:
    said = {}
    for language in ("en", "ko"):
        with translation.override(language):
            said[language] = (
                waits_because(reason.value, facts, place=3, names=NAMES),
                wait_ends_when(reason.value, facts, names=NAMES),
            )
    for english, korean in zip(said["en"], said["ko"], strict=True):
        assert english
        assert "%" not in english + korean
        assert any("가" <= letter <= "힣" for letter in korean)


def test_the_tables_of_sentences_are_complete_and_an_unknown_reason_says_nothing() -> None:
    assert set(BECAUSE) == set(ENDS) == {reason.value for reason in WaitReason}
    assert waits_because("", {}) == wait_ends_when("gone", {}) == ""


@pytest.mark.parametrize(
    ("reason", "facts", "said"),
    [
        (
            WaitReason.RESOURCES,
            WaitFacts(gpus_wanted=1, gpu_milli=250).as_json(),
            "It is first in line and waits for its share of a GPU to come free.",
        ),
        (
            WaitReason.NO_SUCH_NODE,
            WaitFacts(gpus_wanted=1, gpus_most_on_one_node=4).as_json(),
            "No GPU of that kind has as much memory as it asks for.",
        ),
        (WaitReason.BEHIND_OTHERS, {}, "2 jobs that can use the same GPUs go before it."),
        (WaitReason.ACCOUNT_CAP, FACTS, "Vision A may run 8 GPUs at once, and 6 run now."),
        (
            WaitReason.ACCOUNT_CAP,
            FACTS | {"running_gpus": 7.25},
            "Vision A may run 8 GPUs at once, and 7.25 run now.",
        ),
        (
            WaitReason.NO_SUCH_NODE,
            FACTS,
            "It asks for 4 GPUs on one node; the largest node of that kind has 3 GPUs.",
        ),
    ],
)
def test_sentences_carry_the_facts(reason: WaitReason, facts: dict[str, Any], said: str) -> None:
    with translation.override("en"):
        assert waits_because(reason, facts, place=3, names=NAMES) == said


def test_an_end_names_the_node_and_a_cap_that_is_too_small_names_the_way_out() -> None:
    with translation.override("en"):
        assert "runs on yongin-01 end, by " in wait_ends_when(WaitReason.RESOURCES, FACTS, names=NAMES)
        assert "Submit it with fewer GPUs" in wait_ends_when(WaitReason.ACCOUNT_CAP, {"gpus_wanted": 4, "cap": 2})
        assert wait_ends_when(WaitReason.ACCOUNT_CAP, FACTS) == "It goes on when one of those runs ends."


def test_a_class_that_keeps_the_gpus_is_named() -> None:
    with translation.override("en"):
        ahead = wait_ends_when(WaitReason.CLASS_RESERVATION, {"from_at": 1_760_000_000.0}, names=NAMES)
        meets = wait_ends_when(WaitReason.CLASS_RESERVATION, FACTS, names=NAMES)
    assert ahead.startswith("It starts after “Reading week”. With a time limit that ends before")
    assert meets.startswith("It starts when “Reading week” does not need them any more, by ")
