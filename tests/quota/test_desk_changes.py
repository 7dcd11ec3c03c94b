"""Changing many accounts on the desk: alike, by hand, by CSV; previewed, applied, listed and undone."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.api import AccountChange
from labs.quota.domain.change_csv import read_changes
from labs.quota.models import Account, Batch
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.quota.test_pages import page_of

pytestmark = pytest.mark.django_db
EDIT, UPLOAD, APPLY = (reverse(f"quota:desk-{name}") for name in ("edit", "upload", "apply"))


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


@pytest.fixture
def client(admin: User) -> Client:
    return page_of(admin)


@pytest.fixture
def other(tree: Tree) -> Account:
    return factories.learner_account(tree.cohort, factories.UserFactory(), 10 * HOUR)


def ids(*accounts: Account) -> str:
    return ",".join(str(account.pk) for account in accounts)


def changes_in(answer: Any) -> str:
    """What a preview's form would apply."""
    return str(answer.context["apply_form"].initial["changes"])


def apply(client: Client, answer: Any, reason: str = "Exam week") -> Any:
    return client.post(APPLY, {"changes": changes_in(answer), "reason": reason})


def upload(client: Client, text: str | bytes) -> Any:
    raw = text.encode() if isinstance(text, str) else text
    return client.post(UPLOAD, {"table": SimpleUploadedFile("changes.csv", raw, "text/csv")})


def test_one_change_for_all_is_previewed_applied_and_undone(tree: Tree, other: Account, client: Client) -> None:
    chosen = client.post(EDIT, {"account": [tree.learner.pk, other.pk], "step": ""})
    assert chosen.status_code == 200
    alike = {"ids": ids(tree.learner, other), "step": "alike", "op": "multiply", "amount": "1.5", "weight": "2"}
    seen = client.post(EDIT, alike)
    html = seen.content.decode()
    assert (tree.fresh()[3].allocated_s, Batch.objects.count()) == (20 * HOUR, 0)
    for words in ("20 → <strong>30</strong>", "10 → <strong>15</strong>", "Change 2 accounts", "+15 GPU-h in all"):
        assert words in html
    assert '<td class="num">70</td><td class="num"><strong>55</strong></td>' in html  # what the cohort can grant
    made = apply(client, seen)
    batch = Batch.objects.get()
    assert made.url == reverse("quota:batch", args=[batch.pk])
    learner = tree.fresh()[3]
    assert (learner.allocated_s, learner.weight, batch.reason) == (30 * HOUR, 2, "Exam week")
    page = client.get(made.url).content.decode()
    assert "30 → <strong>20</strong>" in page
    assert client.post(reverse("quota:batch-undo", args=[batch.pk]), {"reason": "too much"}).status_code == 302
    other.refresh_from_db()
    assert (tree.fresh()[3].allocated_s, tree.fresh()[3].weight, other.allocated_s) == (20 * HOUR, 1, 10 * HOUR)
    assert "This was undone" in client.get(made.url).content.decode()
    again = client.post(reverse("quota:batch-undo", args=[batch.pk]), {"reason": "twice"}, follow=True)
    assert "undone before" in again.content.decode()
    with transaction.atomic():
        assert api.rebuild() == []


def test_a_preview_names_every_refusal_and_offers_nothing_to_apply(tree: Tree, other: Account, client: Client) -> None:
    with transaction.atomic():
        api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=15 * HOUR)
    asked = {"ids": ids(tree.learner, other), "step": "alike", "op": "set", "amount": "5"}
    html = client.post(EDIT, asked).content.decode()
    assert "less than what is used and held; take back at most 5 GPU-h" in html
    assert "1 account cannot be changed so" in html
    assert APPLY not in html
    short = client.post(EDIT, asked | {"op": "add", "amount": "60"}).content.decode()
    assert short.count("The account above has less left to grant") == 2


def test_rows_by_hand_change_what_differs_and_refuse_what_somebody_changed_meanwhile(
    tree: Tree, other: Account, client: Client
) -> None:
    page = client.get(f"{EDIT}?account={tree.learner.pk}&account={other.pk}")
    fields = {"ids": ids(tree.learner, other), "step": "hand"}
    for row in page.context["hand"].rows:
        fields |= {f"seen-{row.account.pk}": row.seen, **{cell["name"]: cell["value"] for cell in row.cells}}
    assert "Nothing would change" in client.post(EDIT, fields).content.decode()
    wrong = client.post(EDIT, fields | {f"granted-{other.pk}": "5.55", f"day_cap-{other.pk}": "much"})
    assert wrong.status_code == 400
    assert "Use steps of 0.1 GPU-hours" in wrong.content.decode()
    assert 'value="5.55"' in wrong.content.decode()
    typed = fields | {f"granted-{other.pk}": "12.5", f"weight-{tree.learner.pk}": "3", f"day_cap-{other.pk}": "1.5"}
    seen = client.post(EDIT, typed)
    with transaction.atomic():
        api.apply_changes(
            changes=[AccountChange(other.pk, HOUR), AccountChange(tree.learner.pk, 0, {"weight": 9})], reason="x",
            actor=None,
        )  # fmt: skip
    late = apply(client, seen)
    assert late.status_code == 409
    assert "Somebody changed this allocation meanwhile" in late.content.decode()
    assert "Somebody changed this setting since" in late.content.decode()
    other.refresh_from_db()
    assert (other.allocated_s, other.learner_day_cap_s) == (11 * HOUR, None)
    fresh = client.get(f"{EDIT}?account={other.pk}")
    (row,) = fresh.context["hand"].rows
    typed = {"ids": ids(other), "step": "hand", f"seen-{other.pk}": row.seen}
    typed |= {cell["name"]: cell["value"] for cell in row.cells} | {f"granted-{other.pk}": "12.5"}
    assert apply(client, client.post(EDIT, typed | {f"day_cap-{other.pk}": "1.5"})).status_code == 302
    other.refresh_from_db()
    assert (other.allocated_s, other.learner_day_cap_s) == (12.5 * HOUR, 5400)


def test_only_what_one_may_change_can_be_chosen_and_applied(tree: Tree, client: Client) -> None:
    assert client.post(EDIT, {"account": [tree.campus.pk], "step": ""}).status_code == 302
    changes = json.dumps([{"a": tree.campus.pk, "d": HOUR, "s": {}, "n": None, "m": {}}])
    refused = client.post(APPLY, {"changes": changes, "reason": "x"})
    assert refused.status_code == 409
    assert "not change it" in refused.content.decode()
    for broken in ("", "{", "[1]", '[{"a":1}]', '[{"a":"1","d":0,"s":{},"n":null,"m":{}}]'):
        assert client.post(APPLY, {"changes": broken, "reason": "x"}).status_code == 400
    without = client.post(APPLY, {"changes": changes.replace(str(tree.campus.pk), str(tree.cohort.pk)), "reason": ""})
    assert (without.status_code, Batch.objects.count()) == (400, 0)


def test_the_learners_below_are_changed_instead_of_the_account(tree: Tree, other: Account, client: Client) -> None:
    page = client.get(f"{EDIT}?account={tree.cohort.pk}")
    assert "Change the 2 learners below instead" in page.content.decode()
    below = client.get(f"{EDIT}?below={tree.cohort.pk}")
    assert {account.pk for account in below.context["accounts"]} == {tree.learner.pk, other.pk}


def test_the_export_edited_and_sent_back_changes_just_that(tree: Tree, other: Account, client: Client) -> None:
    exported = client.get(reverse("quota:desk-csv")).content
    assert "Nothing is to be changed" in upload(client, exported).content.decode()
    lines = exported.decode("utf-8-sig").splitlines()
    line = next(text for text in lines if text.startswith(f"{other.pk},"))
    cells = line.split(",")
    head = lines[0].split(",")
    cells[head.index("granted_gpu_hours")], cells[head.index("learner_week_cap_gpu_hours")] = "14", "8"
    edited = "\n".join(text if text != line else ",".join(cells) for text in lines)
    seen = upload(client, edited)
    (shown,) = seen.context["shown"].lines
    assert (shown.account_id, shown.line) == (other.pk, lines.index(line) + 1)
    assert apply(client, seen).status_code == 302
    other.refresh_from_db()
    assert (other.allocated_s, other.learner_week_cap_s) == (14 * HOUR, 8 * HOUR)
    stale = upload(client, edited.replace(",14,", ",13,", 1))
    assert "Somebody changed this allocation meanwhile" in stale.content.decode()


def test_errors_of_a_file_are_named_by_line_and_nothing_is_half_done(
    tree: Tree, other: Account, client: Client
) -> None:
    text = f"account_id,add_gpu_hours,weight\n{tree.learner.pk},1,\n{other.pk},0.25,x\n,1,\n{other.pk},1,\n"
    html = upload(client, text).content.decode()
    for words in ("On line 3: “0.25” in “add_gpu_hours”", "On line 3: “x” in “weight”", "On line 4: The line",
                  "On line 5: This account is on line 3 already"):  # fmt: skip
        assert words in html
    assert tree.fresh()[3].allocated_s == 20 * HOUR
    for wrong, words in (
        ("", "empty"),
        (b"\xff\xff\x00", "no text that a spreadsheet writes"),
        ("account_id,wieght\n1,2", "There is no column “wieght”"),
        ("weight\n2", "“account_id” is missing"),
        ("account_id,weight,weight\n1,2,3", "is there twice"),
        ('account_id,weight\n1,"2', "quotation marks"),
    ):
        answer = upload(client, wrong)
        assert (answer.status_code, words in answer.content.decode()) == (400, True), words
    absent = upload(client, "account_id,weight\n999999,2\n")
    assert "There is no such account" in absent.content.decode()


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ("granted_gpu_hours\n7,12.5", (45_000, None, {})),
        ("granted_gpu_hours;granted_s\n7;20;72000", None),
        ("add_gpu_hours\n7,-3", (None, -10_800, {})),
        ("weight,learner_day_cap_gpu_hours\n7,3,none", (None, None, {"weight": 3, "learner_day_cap_s": None})),
        ("max_running_gpus\n7,", None),
    ],
)
def test_a_line_is_read_as_its_columns_say(cells: str, wanted: tuple[Any, ...] | None) -> None:
    separator = ";" if ";" in cells else ","
    read = read_changes(f"account_id{separator}{cells}".encode("utf-16"))
    if wanted is None:
        assert [error.code for error in read.errors] == ["nothing_to_change"]
    else:
        (row,) = read.rows
        assert (row.granted_s, row.add_s, dict(row.settings)) == wanted


def test_the_history_takes_as_many_queries_at_twenty_and_hides_what_is_elsewhere(
    tree: Tree, other: Account, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def change(number: int) -> Batch:
        wished = [AccountChange(other.pk, 360, {"weight": number + 1}), AccountChange(tree.learner.pk, 360)]
        with transaction.atomic():
            return api.apply_changes(changes=wished, reason=f"Batch {number}", actor=None)

    history = reverse("quota:batches")
    change(1)
    with django_assert_num_queries(5):  # session, user, standing; batches counted, read
        assert "Batch 1" in client.get(history).content.decode()
    for number in range(2, 21):
        change(number)
    with django_assert_num_queries(5):
        html = client.get(history).content.decode()
    assert html.count("Batch ") == 20
    elsewhere = page_of(factories.staff(RoleGrant.Role.CAMPUS_ADMIN, factories.campus("jeonbuk", "전북").scope))
    batch = Batch.objects.first()
    assert batch is not None
    assert elsewhere.get(reverse("quota:batch", args=[batch.pk])).status_code == 404
    assert "Batch " not in elsewhere.get(history).content.decode()


def test_who_does_not_administer_all_of_a_batch_may_not_undo_it(tree: Tree, client: Client) -> None:
    with transaction.atomic():
        beyond = factories.account(
            Account.Kind.CAMPUS, tree.platform, factories.campus("jeonbuk", "전북").scope, HOUR, name="전북"
        )
        both = [AccountChange(beyond.pk, HOUR), AccountChange(tree.cohort.pk, HOUR)]
        batch = api.apply_changes(changes=both, reason="New term", actor=None)
    page = client.get(reverse("quota:batch", args=[batch.pk])).content.decode()
    assert "1 more account is not yours to see" in page
    assert "Not yours to undo" in page
    assert client.post(reverse("quota:batch-undo", args=[batch.pk]), {"reason": "x"}).status_code == 403


def test_an_undo_that_cannot_be_says_why(tree: Tree, client: Client) -> None:
    with transaction.atomic():
        batch = api.apply_changes(changes=[AccountChange(tree.learner.pk, 5 * HOUR)], reason="More", actor=None)
        api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=24 * HOUR)
    page = client.get(reverse("quota:batch", args=[batch.pk])).content.decode()
    assert "less than what is used and held" in page
    refused = client.post(reverse("quota:batch-undo", args=[batch.pk]), {"reason": "x"})
    assert refused.status_code == 409
    assert tree.fresh()[3].allocated_s == 25 * HOUR
