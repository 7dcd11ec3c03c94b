"""What a node misses to contain learners' code, as staff read it."""

import re

import pytest
from django.utils import translation

from campus.web.templatetags.confinement import confinement_words
from infra.executors.local.probe import GET_BWRAP, GET_CGROUP, GET_SECCOMP

WHY = "the memory control group (v1) is not writable"


@pytest.mark.parametrize("said", [GET_BWRAP, GET_SECCOMP, GET_CGROUP.format(why=WHY)])
def test_what_a_node_misses_is_said_in_korean_with_the_command_as_it_is(said: str) -> None:
    with translation.override("ko"):
        words = confinement_words(said)
    assert re.search("[가-힣]", words)
    assert re.search("apt-get install|systemd-run --user", words)


def test_all_that_it_misses_is_said_and_what_is_not_known_as_it_came() -> None:
    with translation.override("ko"):
        words = confinement_words(f"{GET_BWRAP}; something new; {GET_CGROUP.format(why=WHY)}")
    assert "bubblewrap 0.8 이상" in words
    assert "something new" in words
    assert WHY in words
    assert "LABS_ALLOW_UNCONFINED=1" in words
    assert confinement_words("") == ""
