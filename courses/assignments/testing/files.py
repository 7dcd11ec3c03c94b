"""The files of a grading job, and what is read back from it."""

import json
from collections.abc import Mapping
from pathlib import Path

from courses.assignments.models import GradingRun
from labs.jobs.api import files_of_bundle, published_artifacts
from labs.jobs.models import Job

OURS = "_campus_grading"
PROGRAM, ASKED, REPORT = f"{OURS}.py", f"{OURS}.json", f"{OURS}_report.json"
MOST_BYTES = 1024 * 1024


def job_files(run: GradingRun) -> dict[str, bytes]:
    """Return the learner's files with the program and what it is asked; names like ours are left out."""
    handed_in = files_of_bundle(run.submission.source.files)
    theirs = {path: body for path, body in handed_in.items() if not path.casefold().startswith(OURS)}
    return theirs | {PROGRAM: _program(), ASKED: json.dumps(_asked(run)).encode()}


def _asked(run: GradingRun) -> Mapping[str, object]:
    suite = run.suite
    sources = []
    for what, source, is_visible in (("visible", suite.visible, True), ("hidden", suite.hidden, False)):
        names = [name for name, _title, _weight, seen in suite.cases if seen is is_visible]
        if names:
            sources.append({"what": what, "source": source, "names": names})
    return {"key": run.key, "seed": suite.seed, "wall_s": suite.wall_s, "sources": sources}


def _program() -> bytes:
    return (Path(__file__).parent / "program.py").read_bytes()


def written_report(job: Job) -> bytes | None:
    """Return the report that the job left, unread; None where there is none that may be one."""
    found = published_artifacts(job).filter(path=REPORT, size_bytes__lte=MOST_BYTES).first()
    if found is None:
        return None
    try:
        with found.file.open("rb") as stream:
            body: bytes = stream.read(MOST_BYTES + 1)
    except OSError:
        return None
    return body
