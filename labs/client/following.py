"""Following a job: its log to standard output, byte by byte, what happens to it to standard error."""

from __future__ import annotations

import sys
import time
from typing import Any, BinaryIO

from labs.client.api import Api
from labs.client.problems import JOB_FAILED, OK
from labs.client.words import TerminalFilter, duration, gpu_time, plain

OPEN = ("QUEUED", "RUNNING")
LOOK_S = {"QUEUED": 1.0, "RUNNING": 0.5}


class Follower:
    """Shows one job until it is over. Loses no byte: the log is read by offset, attempt by attempt."""

    def __init__(self, api: Api, job_id: int, out: BinaryIO) -> None:
        self._api, self._job_id = api, job_id
        self._out = out
        self._filter = TerminalFilter() if out.isatty() else None
        self._attempt = 0
        self._shown = 0
        self._said = ""

    def run(self) -> int:
        """The exit code: 0 when the job succeeded, 1 when it did not."""
        while True:
            # The job first and the log after it: whatever a job wrote before its end is there when the end is seen.
            job = self._api.get(f"jobs/{self._job_id}/")
            self._say_state(job)
            self._show_log(job)
            if job["state"] not in OPEN:
                self._say_end(job)
                return OK if job["state"] == "SUCCEEDED" else JOB_FAILED
            time.sleep(LOOK_S[job["state"]])

    def _show_log(self, job: dict[str, Any]) -> None:
        for attempt in sorted(job["attempts"], key=lambda entry: int(entry["number"])):
            number = int(attempt["number"])
            if number < self._attempt:
                continue
            if number > self._attempt:
                if self._attempt:
                    _tell(f"the platform lost attempt {self._attempt}; this is attempt {number}, from the beginning")
                self._attempt, self._shown = number, 0
            chunk = self._api.log(self._job_id, start=self._shown, attempt=number)
            self._shown += len(chunk)
            self._out.write(self._filter.feed(chunk) if self._filter else chunk)
            self._out.flush()

    def _say_state(self, job: dict[str, Any]) -> None:
        said = _state_of(job)
        if said != self._said and job["state"] in OPEN:
            _tell(said)
        self._said = said

    def _say_end(self, job: dict[str, Any]) -> None:
        words = [job["state"].replace("_", " ").lower()]
        if job["exit_code"] not in (None, 0):
            words.append(f"exit code {job['exit_code']}")
        if job["end_detail"]:
            words.append(plain(job["end_detail"]))
        words.append(f"{gpu_time(job['charged_s'])} charged")
        _tell(f"job {job['id']} " + ", ".join(words))


def _state_of(job: dict[str, Any]) -> str:
    if job["state"] != "QUEUED":
        last = max(job["attempts"], key=lambda entry: int(entry["number"]), default=None)
        where = f" on {plain(last['node'])}" if last else ""
        if last and last["state"] in ("ASSIGNED", "CLAIMED"):
            return f"job {job['id']} is being prepared{where}"
        return f"job {job['id']} runs{where}, at most {duration(job['wall_s'])}"
    wait = job.get("wait") or {}
    place = f", place {wait['place']}" if wait.get("place") else ""
    reason = f": {plain(wait['reason']).replace('_', ' ').lower()}" if wait.get("reason") else ""
    return f"job {job['id']} waits{place}{reason}"


def _tell(words: str) -> None:
    sys.stderr.write(f"campus: {words}\n")
    sys.stderr.flush()
