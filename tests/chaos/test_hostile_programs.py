"""Programs that mean harm, on the real campus: each ends with its reason, and what it left is shown as what it is."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from campus.people.api import set_active
from campus.people.models import User
from labs.jobs.models import Artifact, Attempt
from tests import factories

from . import proof
from .scene import Browser, Scene

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]

FLOOD = "import os\nwhile True: os.write(1, b'all work and no play\\n' * 3000)\n"
FORK = """
import os, signal, time
children = 0
try:
    while True:
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        children += 1
except OSError as error:
    print("refused", error.errno, "after some" if children > 3 else "at once", flush=True)
"""
EAT = "held = []\nwhile True: held.append(bytearray(16 << 20)); print(len(held), flush=True)\n"
FILL = """
try:
    with open("large.bin", "wb") as file:
        while True: file.write(bytes(1 << 20))
except OSError as error:
    print("full", error.errno, flush=True)
"""


@pytest.mark.parametrize(
    ("source", "state", "reason"),
    [
        (FLOOD, "FAILED", "OUTPUT_FLOOD"),
        (EAT, "FAILED", "OUT_OF_MEMORY"),
        (FORK, "SUCCEEDED", "COMPLETED"),
        (FILL, "SUCCEEDED", "COMPLETED"),
    ],
    ids=["floods its output", "eats memory", "forks", "fills the disk"],
)
def test_a_greedy_program_ends_with_its_reason(scene: Scene, source: str, state: str, reason: str) -> None:
    job = scene.until_over(scene.run(source))
    assert (job.state, job.end_reason) == (state, reason)
    attempt = job.attempts.get()
    log = proof.log_of(attempt)
    assert len(log) == attempt.log_bytes
    assert scene.learners.ask("GET", f"jobs/{job.pk}/log/").body == log
    said = {FORK: b"refused", FILL: b"full 28"}.get(source)
    assert said is None or log.startswith(said)
    assert attempt.log_is_truncated is (source == FLOOD)
    assert scene.learners.page(f"/jobs/{job.pk}/")[0] == 200
    proof.ended_at_most_once(scene, job)
    assert job.charged_s >= 1, "what ran is charged: it was the program's own doing"


def test_a_program_that_ignores_the_request_to_stop_is_killed(scene: Scene) -> None:
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
    job = scene.run(deaf + "while True: time.sleep(1)\n", wall_s=300)
    scene.until_talking(job)
    assert scene.learners.ask("POST", f"jobs/{job.pk}/cancel/").status == 200
    job = scene.until_over(job)
    assert (job.state, job.end_reason) == ("CANCELLED", "CANCELLED")
    proof.ended_at_most_once(scene, job)


PRINTED = (
    b"\x1b[31mred\x1b[0m \x1b]0;a title\x07\x1b[2J\x1b[H <script>alert(1)</script> <img src=x onerror=alert(2)>\n"
    b"carriage\rreturn \x00 \xff\xfe\xed\xa0\x80 {{ 7*7 }} {% now %} </pre></template>\xe2\x80\xae\n"
    b"no newline at the end"
)


def test_what_a_program_prints_is_kept_to_the_byte_and_shown_as_text(scene: Scene) -> None:
    job = scene.until_over(scene.run(f"import os\nos.write(1, {PRINTED!r})\n"))
    assert job.state == "SUCCEEDED"
    assert proof.log_of(job.attempts.get()) == PRINTED
    assert scene.learners.ask("GET", f"jobs/{job.pk}/log/").body == PRINTED
    status, headers, content = scene.learners.page(f"/jobs/{job.pk}/log/")
    assert (status, content) == (200, PRINTED)
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"
    status, headers, content = scene.learners.page(f"/jobs/{job.pk}/")
    assert status == 200
    for markup in (b"<script>alert(1)", b"<img src=x onerror"):
        assert markup not in content
    assert "nonce-" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]


LITTER = r"""
import os
names = [b"plain.txt", b"new\nline.txt", b"\xff\xfe.bin", "\u202egnp.exe".encode(), b"back\\slash", b"-rf",
         b".hidden", b"C:colon", b"x" * 255, "한글 이름.txt".encode()]
for name in names:
    with open(name, "wb") as file: file.write(b"content of it")
os.symlink("/etc/passwd", "link.txt")
os.symlink("..", "up")
os.mkfifo("pipe")
os.link("plain.txt", "second.txt")
os.makedirs("/".join(["deep"] * 40), exist_ok=True)
with open("page.html", "w") as file: file.write("<script>alert(1)</script>")
with open("picture.svg", "w") as file: file.write("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
with open("liar.png", "w") as file: file.write("<script>alert(1)</script>")
"""


def test_hostile_outputs_are_left_out_and_the_rest_is_only_ever_downloaded(scene: Scene) -> None:
    job = scene.until_over(scene.run(LITTER))
    assert job.state == "SUCCEEDED", proof.log_of(job.attempts.get())
    attempt = Attempt.objects.get(job=job)
    published = {one.path: one for one in Artifact.objects.filter(attempt=attempt, is_published=True)}
    assert {"한글 이름.txt", "page.html", "picture.svg", "liar.png"} <= published.keys()
    for path in published:
        assert path.isprintable()
        assert not {"\\", "\n"} & set(path)
    assert not {"link.txt", "up", "pipe", "plain.txt", "second.txt"} & published.keys()
    skipped = [name for name, _why in attempt.report["skipped"]]
    assert "link.txt" in skipped
    assert all(name.isprintable() for name in skipped)
    for path in ("page.html", "picture.svg", "liar.png"):
        for query in ("", "?preview=1"):
            address = f"/jobs/{job.pk}/artifacts/{published[path].pk}/{query}"
            status, headers, _content = scene.learners.page(address)
            assert status == 200
            assert headers["content-disposition"].startswith("attachment")
            assert headers["content-type"] == "application/octet-stream"
            assert "sandbox" in headers["content-security-policy"]
    content = scene.learners.page(f"/jobs/{job.pk}/")[2]
    assert b"<script>alert(1)" not in content


# --- who may listen


def closed_with(scene: Scene, cookie: str, *, origin: str | None = None, path: str | None = None) -> int:
    """The code with which the live socket turns one away: a status before, or a code after the handshake."""
    port = scene.campus.port
    headers = {"Cookie": cookie} if cookie else {}
    address = f"ws://127.0.0.1:{port}{path or '/ws/my-jobs/'}"
    try:
        with connect(address, additional_headers=headers, origin=origin or f"http://127.0.0.1:{port}") as socket:
            return int(json.loads(socket.recv(timeout=60)) is None)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else -1
    except InvalidStatus as refused:
        return refused.response.status_code


def test_the_live_log_is_for_who_may_see_the_job_from_our_own_pages(scene: Scene) -> None:
    job = scene.until_over(scene.run("print('mine')\n"))
    socket = f"/ws/jobs/{job.pk}/"
    assert closed_with(scene, scene.learners.cookie, path=socket) == 0
    assert closed_with(scene, "", path=socket) == 4401
    assert closed_with(scene, "sessionid=made-up", path=socket) == 4401
    assert closed_with(scene, scene.learners.cookie, path=socket, origin="https://evil.example") == 403
    stranger = Browser(scene.campus.port, factories.UserFactory())
    assert closed_with(scene, stranger.cookie, path=socket) == 4404
    for forged in (2**63, 10**30, 0):
        assert closed_with(scene, scene.learners.cookie, path=f"/ws/jobs/{forged}/") == 4404
    assert closed_with(scene, scene.learners.cookie, path="/ws/jobs/-1/") in (403, 404)


def test_a_closed_account_is_out_at_once_everywhere(scene: Scene) -> None:
    person: User = factories.UserFactory()
    browser = Browser(scene.campus.port, person)
    assert browser.ask("GET", "me/").status == 200
    assert browser.page("/me/")[0] == 200
    assert closed_with(scene, browser.cookie) == 0
    set_active(user=person, is_active=False, actor=scene.operator, reason="left the campus")
    assert browser.ask("GET", "me/").status == 401
    assert browser.page("/me/")[0] == 302
    assert closed_with(scene, browser.cookie) == 4401
