"""Two learners share a GPU: each takes half of it, both run at the same time, and each is charged half."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .campus import Campus
from .chromium import PHONE, sideways, sign_in, violations
from .classroom import in_campus
from .conftest import OpenPage
from .parts import expect_state, job_id_of, write_code

PASSWORD = "for-one-story-8"
#: What an operator does before: a learner of the demo learner's cohort gets a password.
CLASSMATE = """
import json
from campus.people.models import User
from courses.catalog.models import Enrolment
own = Enrolment.objects.filter(user__email="learner@campus.example").order_by("pk").first()
user = Enrolment.objects.filter(cohort=own.cohort, state="ACTIVE").exclude(pk=own.pk).order_by("pk").last().user
user.language = "en"
user.set_password(%r)
user.save(update_fields=["password", "language"])
print(json.dumps(user.email))
"""
# Long enough for people to look at both.
MEETS = """\
import os, time
print(os.environ["CAMPUS_GPU_MILLI"], "thousandths", flush=True)
time.sleep(30)
"""


@pytest.fixture
def classmate(campus: Campus, open_page: OpenPage) -> Page:
    """A page of another learner of the cohort, signed in."""
    email = in_campus(campus, CLASSMATE % PASSWORD)
    page = open_page()
    sign_in(page, email, PASSWORD)
    return page


def ask_for_half(page: Page, title: str) -> None:
    """Fill the form, up to its button."""
    page.goto("/jobs/new/")
    write_code(page, MEETS)
    page.locator("#id_title").fill(title)
    page.locator("#id_wall_minutes").fill("2")
    page.locator("#id_gpus").select_option("0.5")
    forecast = page.locator("[data-forecast]")
    expect(forecast).to_contain_text("1/2 GPU, at least")
    expect(forecast).to_contain_text("60 GPU-s")


def submit(page: Page) -> int:
    page.get_by_role("button", name="Submit the job").click()
    return job_id_of(page)


def attempt_of(page: Page, job_id: int) -> dict[str, Any]:
    """The job as the API tells its owner, with its last attempt."""
    job: dict[str, Any] = page.evaluate("id => fetch(`/api/v1/jobs/${id}/`).then((r) => r.json())", job_id)
    return job | {"last": job["attempts"][-1]}


def test_two_learners_take_half_of_one_gpu_each_run_together_and_pay_half(open_page: OpenPage, classmate: Page) -> None:
    learner = open_page("learner")
    pool = open_page("platform-admin")
    ask_for_half(learner, "Half of it")
    ask_for_half(classmate, "The other half")
    first, second = submit(learner), submit(classmate)
    expect_state(learner, "RUNNING")
    expect_state(classmate, "RUNNING")
    expect(learner.locator(".job-now-card")).to_contain_text("1/2 GPU")
    pool.goto("/pool/")
    cell = pool.locator(".cells .cell-shared", has_text=f"#{first} ")
    expect(cell).to_have_attribute("title", re.compile(rf"1/2 GPU: #{first} .*; 1/2 GPU: #{second} "))
    cell.get_by_role("link").click()
    shares = pool.locator(".cell-shares li")
    expect(shares.filter(has_text=f"#{first}")).to_contain_text("1/2 GPU")
    expect(shares.filter(has_text=f"#{second}")).to_contain_text("1/2 GPU")
    assert violations(pool) == []

    expect_state(learner, "SUCCEEDED")
    expect_state(classmate, "SUCCEEDED")
    assert violations(learner) == []
    expect(learner.locator("#job-log .log-text", has_text="500 thousandths")).to_be_visible()
    ended = [attempt_of(learner, first), attempt_of(classmate, second)]
    assert ended[0]["last"]["gpu_labels"] == ended[1]["last"]["gpu_labels"]
    assert ended[1]["last"]["started_at"] < ended[0]["last"]["ended_at"]
    for job in ended:
        assert job["charged_s"] == -(-job["last"]["run_s"] // 2)
    learner.goto("/usage/")
    expect(learner.get_by_role("row", name=re.compile(f"#{first}"))).to_contain_text(f"{ended[0]['charged_s']} GPU-s")


def test_a_share_is_chosen_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("learner", viewport=PHONE)
    page.goto("/jobs/new/")
    page.get_by_label("GPUs", exact=True).select_option("0.125")
    expect(page.locator("[data-forecast]")).to_contain_text("1/8 GPU, at least")
    assert not sideways(page)
    assert violations(page) == []
