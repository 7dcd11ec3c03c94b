"""A term on the quota desk: the administrators of two campuses and of the platform, an instructor, a learner."""

import csv
import io
import re
from datetime import datetime, timedelta
from time import monotonic, sleep
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from .campus import Campus
from .conftest import OpenPage
from .parts import download

SLEEPS = "import time\ntime.sleep(45)\n"
LEARNER, COHORT, OTHER_COHORT = "김하늘", "용인반", "전북반"


def day(ahead: int) -> str:
    return (datetime.now(ZoneInfo("Asia/Seoul")) + timedelta(days=ahead)).date().isoformat()


def row_of(page: Page, name: str) -> Locator:
    link = page.get_by_role("link", name=name, exact=True)
    return page.locator("tr[data-account]").filter(has=page.get_by_role("rowheader").filter(has=link))


def choose(page: Page, name: str) -> None:
    page.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()


def exported(page: Page) -> list[dict[str, str]]:
    page.goto("/quota/desk/")
    text = download(page, page.get_by_role("link", name="Download CSV")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def sent_back(page: Page, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    page.goto("/quota/desk/upload/")
    page.locator("#id_table").set_input_files(
        {"name": "desk.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode("utf-8-sig")}
    )
    page.get_by_role("button", name="Preview").click()


def applied(page: Page, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=re.compile(r"Change \d+ account")).click()
    page.wait_for_url(re.compile(r"/quota/changes/\d+/$"))


def undone(page: Page, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(reason)


def wait_until_nothing_is_held(campus: Campus) -> None:
    """The demo's own first job, or another story's, may still hold what this story takes away."""
    deadline = monotonic() + 120
    while any(one["state"] in ("QUEUED", "RUNNING") for one in campus.ask("GET", "jobs/")["results"]):
        assert monotonic() < deadline
        sleep(0.5)


def test_a_csv_allocates_the_learner_feels_it_the_desk_sees_who_is_out_and_all_of_it_is_undone(
    campus: Campus, open_page: OpenPage
) -> None:
    wait_until_nothing_is_held(campus)
    page = open_page("campus-admin")
    rows = exported(page)
    (learner,) = [row for row in rows if row["account"] == LEARNER]
    learner["granted_gpu_hours"], wrong = "0.1", {**learner, "granted_gpu_hours": "0.15"}
    sent_back(page, [wrong])
    expect(page.get_by_text("On line 2: “0.15”")).to_be_visible()
    sent_back(page, rows)
    preview = page.get_by_role("table", name="Accounts before and after")
    expect(preview.get_by_role("row")).to_have_count(2)
    expect(preview).to_contain_text("→ 0.1")
    applied(page, "Story of the term")
    batch = page.url
    (account,) = [one for one in campus.ask("GET", "quota/?kind=LEARNER")["results"] if one["name"] == LEARNER]
    seen = open_page("learner")
    seen.goto("/usage/")
    expect(seen.get_by_text("GPU-s of 360 GPU-s").or_(seen.get_by_text("of 0.1 GPU-h")).first).to_be_visible()
    job_id = campus.submit(SLEEPS, title="Takes the rest", wall_s=account["available_s"])
    try:
        page.goto("/quota/desk/?show=runs-out")
        expect(row_of(page, LEARNER)).to_contain_text("Nothing left")
        expect(row_of(page, COHORT)).to_have_class(re.compile("desk-above"))
    finally:
        campus.cancel(job_id)
    page.goto(batch)
    undone(page, "The story is over")
    page.goto(batch)
    expect(page.get_by_text("This was undone")).to_be_visible()
    (again,) = [one for one in campus.ask("GET", "quota/?kind=LEARNER")["results"] if one["name"] == LEARNER]
    assert again["allocated_s"] > account["allocated_s"]


def test_many_accounts_change_together_after_a_preview_that_refuses_what_cannot_be(open_page: OpenPage) -> None:
    page = open_page("jeonbuk-admin")
    page.goto("/quota/desk/")
    expect(page.get_by_role("link", name="용인반", exact=True)).to_have_count(0)
    row_of(page, OTHER_COHORT).get_by_role("button", name=f"Accounts below {OTHER_COHORT}").click()
    for name in ("남수빈", "심재원"):
        choose(page, name)
    expect(page.locator("[data-desk-count]")).to_have_text("2 chosen")
    page.get_by_role("button", name="Change the chosen together").click()
    page.get_by_label("GPU-hours, or a factor").fill("5000")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_text("2 accounts cannot be changed so")).to_be_visible()
    expect(page.get_by_text("has less left to grant").first).to_be_visible()
    page.get_by_label("GPU-hours, or a factor").fill("1.5")
    page.get_by_label("Fair-share weight").first.fill("2")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_role("table", name="Accounts before and after")).to_contain_text("2 → 3.5")
    applied(page, "Story of two learners")
    expect(page.get_by_role("table", name="What it changed")).to_contain_text("1 → 2")
    undone(page, "Back to what it was")
    page.goto("/quota/changes/")
    expect(page.get_by_role("row", name=re.compile("Story of two learners"))).to_contain_text("Undone")


def test_a_sponsors_grant_is_the_learners_to_see_and_a_sibling_is_lent_to(open_page: OpenPage) -> None:
    page = open_page("campus-admin")
    page.goto("/quota/sponsors/")
    page.get_by_label("Name in Korean").fill("한빛반도체")
    page.get_by_label("Name in English").fill("Hanbit Semiconductor")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Hanbit"))).to_be_visible()
    open_account(page, COHORT)
    page.get_by_role("link", name="Give a grant").click()
    page.get_by_label("GPU-hours", exact=True).fill("12")
    page.get_by_label("Sponsor").select_option(label="Hanbit Semiconductor")
    page.get_by_label("Term").select_option(index=1)
    page.get_by_label("What people know it by").fill("Story of a sponsor")
    page.get_by_label("Reason").fill("Agreement of this term")
    page.get_by_role("button", name="Give it").click()
    expect(page.get_by_role("row", name=re.compile("Story of a sponsor.*Open"))).to_contain_text("given by Hanbit")
    learner = open_page("learner")
    learner.goto("/usage/")
    expect(learner.get_by_text("from Hanbit Semiconductor: 12 GPU-h left")).to_be_visible()
    neighbour = open_page("jeonbuk-admin")
    open_account(neighbour, OTHER_COHORT)
    neighbour.get_by_role("link", name="Lend to accounts beside it").click()
    neighbour.get_by_label("At most, GPU-hours").fill("2")
    neighbour.locator("#id_borrower").select_option(label="전북 열린반")
    neighbour.get_by_label("Last day").fill(day(30))
    neighbour.get_by_label("Reason").fill("Story of a loan")
    neighbour.get_by_role("button", name="Lend", exact=True).click()
    neighbour.goto("/quota/desk/?show=lending")
    expect(row_of(neighbour, OTHER_COHORT)).to_contain_text("lent 0 of 2")
    open_account(neighbour, OTHER_COHORT)
    neighbour.get_by_role("link", name="Recall").click()
    neighbour.get_by_label("Reason").fill("The exams are over")
    neighbour.get_by_role("button", name="Recall").click()
    expect(neighbour.get_by_text("Recalled: nothing more is borrowed.").first).to_be_visible()
    end_story_grant(page)


def test_a_request_that_is_too_large_goes_up_and_comes_back_as_a_grant_that_ends(
    campus: Campus, open_page: OpenPage
) -> None:
    asker = open_page("instructor")
    open_account(asker, COHORT)
    asker.get_by_role("link", name="Ask for more").click()
    asker.get_by_label("GPU-hours more").fill("3000")
    asker.get_by_label("Needed until").fill(day(20))
    asker.get_by_label("What for").fill("Story of a large model")
    asker.get_by_role("button", name="Ask", exact=True).click()
    mine = asker.url
    page = open_page("campus-admin")
    page.goto("/quota/desk/?show=requests")
    expect(row_of(page, COHORT)).to_contain_text(re.compile(r"\d requests?"))
    page.goto(mine)
    page.get_by_role("button", name="Pass it up").click()
    above = open_page("platform-admin")
    above.goto("/quota/requests/?show=decide")
    card = above.locator("article.request", has_text="Story of a large model")
    card.get_by_role("button", name=re.compile("Approve .* until")).click()
    expect(above.get_by_text(re.compile("was given .* until")).first).to_be_visible()
    page.goto(mine)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text(re.compile("was given 3,000 GPU-h until")).first).to_be_visible()
    asker.goto(mine)
    expect(asker.get_by_text("It ends on").first).to_be_visible()
    open_account(asker, COHORT, "?tab=grants")
    expect(asker.get_by_role("row", name=re.compile("Story of a large model"))).to_contain_text("3,000 GPU-h")


def test_a_charge_is_corrected_by_a_line_of_its_own_that_the_learner_sees(campus: Campus, open_page: OpenPage) -> None:
    job_id = campus.submit("import time\ntime.sleep(4)\n", title="Charged too much")
    learner = open_page("learner")
    learner.goto(f"/jobs/{job_id}/")
    expect(learner.locator('[data-part="badge"] [data-state]')).to_have_attribute(
        "data-state", "SUCCEEDED", timeout=90_000
    )
    page = open_page("campus-admin")
    page.goto(f"/jobs/{job_id}/")
    page.get_by_role("link", name="Correct the charge").click()
    page.get_by_label("Should stay charged, GPU-seconds").fill("1")
    page.get_by_label("Reason").fill("The node was slow")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text(re.compile(r"A line that gives back \d+ GPU-seconds? is written"))).to_be_visible()
    page.get_by_role("button", name="Write the correction").click()
    expect(page.get_by_text("Corrected by a line of its own").first).to_be_visible()
    learner.goto("/usage/")
    line = learner.get_by_role("row", name=re.compile("Charged too much"))
    expect(line).to_contain_text("1 GPU-s")
    line.locator("summary").click()
    expect(line).to_contain_text("The node was slow")


def open_account(page: Page, name: str, tab: str = "?tab=grants") -> None:
    page.goto("/quota/")
    page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_url(re.compile(r"/quota/\d+/$"))
    if tab:
        page.goto(page.url + tab)


def end_story_grant(page: Page) -> None:
    open_account(page, COHORT)
    page.get_by_role("link", name="End Story of a sponsor").click()
    page.get_by_label("Reason").fill("The story is over")
    page.get_by_role("button", name="End the grant").click()
    expect(page.get_by_text("is ended").first).to_be_visible()
