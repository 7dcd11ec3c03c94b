"""What each command does: ask the API, show the answer. Each takes the parsed words and returns the exit code."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from labs.client import credentials, downloads, sources
from labs.client.api import Api
from labs.client.credentials import Credentials
from labs.client.following import Follower
from labs.client.problems import OK, SIGNED_OUT, ClientError, usage_error
from labs.client.words import TerminalFilter, gpu_time, gpus, plain, size, table


def login(words: argparse.Namespace) -> int:
    """Ask for e-mail and password, keep the token."""
    url = credentials.clean_url(words.url or _known_url(), may_be_plain=words.insecure)
    email = words.email or _ask("E-mail: ")
    password = sys.stdin.readline().rstrip("\n") if words.password_stdin else getpass.getpass("Password: ")
    with Api(url, None) as api:
        answer = _token_for(api, email, password)
    path = credentials.save(Credentials(url, answer["token"]))
    _say(f"signed in at {url} as {email}; the token is kept in {path}")
    return OK


def logout(_words: argparse.Namespace) -> int:
    """End the token here and at the campus."""
    try:
        with _api() as api:
            api.delete("auth/token/current/")
    except ClientError as error:
        if error.exit_code != SIGNED_OUT:
            raise
    credentials.forget()
    _say("signed out")
    return OK


def submit(words: argparse.Namespace) -> int:
    """Queue a job from files."""
    fields = _fields(words)
    # A key by default: when the answer is lost on its way, asking again finds the job instead of making another.
    key = words.key or uuid.uuid4().hex
    paths = [Path(path) for path in words.paths]
    with _api() as api:
        job = _send(api, paths, fields, key)
        if words.json:
            _show_json(job)
        else:
            _say(f"job {job['id']} is submitted; it holds {gpu_time(job['hold_s'])}")
            sys.stdout.write("" if words.follow else f"{job['id']}\n")
        return Follower(api, job["id"], sys.stdout.buffer).run() if words.follow else OK


def sweep(words: argparse.Namespace) -> int:
    """Queue one run for every combination of the parameters."""
    fields = _fields(words) | {
        "grid": _grid(words.param),
        "metric": words.metric,
        "direction": "min" if words.lowest else None,
        "max_running": words.max_running,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    paths = [Path(path) for path in words.paths]
    with _api() as api:
        made = _send(api, paths, fields, words.key or uuid.uuid4().hex, to="sweeps/")
    if words.json:
        _show_json(made)
    else:
        held = sum(run["hold_s"] for run in made["jobs"])
        _say(f"sweep {made['id']} is submitted: {made['runs']} runs that hold {gpu_time(held)}")
        _show(str(made["id"]))
    return OK


def runs(words: argparse.Namespace) -> int:
    """Show a sweep's runs with their parameters and results; the best is marked."""
    with _api() as api:
        found = api.get(f"sweeps/{words.id}/")
    if words.json:
        _show_json(found)
        return OK
    names, metric = found["names"], found["metric"]
    rows = [
        [
            ("* " if run["job"] == found["best"] else "") + str(run["place"]),
            str(run["job"]),
            run["state"],
            *(json.dumps(run["parameters"].get(name), ensure_ascii=False) for name in names),
            *([str(run["result"].get(metric, "-"))] if metric else []),
        ]
        for run in found["jobs"]
    ]
    _show(
        table(["RUN", "JOB", "STATE", *(name.upper() for name in names), *([metric.upper()] if metric else [])], rows)
    )
    return OK


def cancel_sweep(words: argparse.Namespace) -> int:
    """Stop the runs of a sweep that are not over."""
    with _api() as api:
        answer = api.post(f"sweeps/{words.id}/cancel/", is_repeatable=True)
    if words.json:
        _show_json(answer)
    else:
        _say(f"{answer['cancelled']} runs of sweep {words.id} are being stopped")
    return OK


def follow(words: argparse.Namespace) -> int:
    """Show the log until the job is over."""
    with _api() as api:
        return Follower(api, words.id, sys.stdout.buffer).run()


def logs(words: argparse.Namespace) -> int:
    """Show the log as it stands."""
    with _api() as api:
        content = api.log(words.id, attempt=words.attempt)
    out = sys.stdout.buffer
    out.write(TerminalFilter().feed(content) if out.isatty() else content)
    out.flush()
    return OK


def cancel(words: argparse.Namespace) -> int:
    """Stop a job."""
    with _api() as api:
        job = api.post(f"jobs/{words.id}/cancel/", is_repeatable=True)
    if words.json:
        _show_json(job)
    else:
        state = "is being stopped" if job["state"] == "RUNNING" else job["state"].replace("_", " ").lower()
        _say(f"job {job['id']} {state}")
    return OK


def jobs(words: argparse.Namespace) -> int:
    """List jobs, newest first."""
    with _api() as api:
        query = {"state": words.state, "whose": "all" if words.all else None, "page_size": min(words.limit, 200)}
        found: list[dict[str, Any]] = []
        for job in api.pages("jobs/", **query):
            if len(found) == words.limit:
                break
            found.append(job)
    if words.json:
        _show_json(found)
        return OK
    rows = [
        [
            str(job["id"]),
            job["state"],
            job["title"],
            gpus(job["gpus"], job["gpu_milli"]),
            gpu_time(job["charged_s"]),
            job["submitted_at"][:16].replace("T", " "),
        ]
        for job in found
    ]
    _show(table(["ID", "STATE", "TITLE", "GPUS", "CHARGED", "SUBMITTED (UTC)"], rows) if rows else "no jobs")
    return OK


def usage(words: argparse.Namespace) -> int:
    """Show what was used and what is left."""
    with _api() as api:
        answer = api.get("usage/", account=words.account, **{"from": words.since, "to": words.until})
    if words.json:
        _show_json(answer)
        return OK
    total = answer["total"]
    _show(f"{answer['first_day']} to {answer['last_day']}: {gpu_time(total['used_s'])} in {total['jobs']} jobs")
    rows = [
        [
            plain(account["name"]),
            *(gpu_time(account[name]) for name in ("allocated_s", "used_s", "held_s", "available_s")),
        ]
        for account in answer["accounts"]
    ]
    if rows:
        _show(table(["ACCOUNT", "ALLOCATED", "USED", "HELD", "LEFT"], rows))
    days = [[day["day"], gpu_time(day["used_s"]), str(day["jobs"])] for day in answer["days"]]
    if days:
        _show(table(["DAY", "USED", "JOBS"], days))
    return OK


def artifacts(words: argparse.Namespace) -> int:
    """List what a job left, or bring it here."""
    with _api() as api:
        found = api.get(f"jobs/{words.id}/artifacts/")
        if words.download is not None:
            brought = downloads.bring(api, found, Path(words.download))
            _say(f"{len(brought)} of {len(found)} files written to {words.download}")
    if words.json:
        _show_json(found)
    elif words.download is None:
        rows = [[entry["path"], size(entry["size_bytes"]), entry["digest"][:12]] for entry in found]
        _show(table(["PATH", "SIZE", "SHA-256"], rows) if rows else "no artifacts")
    return OK


# ---- what they share ----------------------------------------------------------------------------------------------


def _api() -> Api:
    known = credentials.load()
    return Api(known.url, known.token)


def _known_url() -> str:
    try:
        return credentials.load().url
    except ClientError:
        raise usage_error("say where the campus is: campus login --url https://campus.example") from None


def _token_for(api: Api, email: str, password: str) -> dict[str, Any]:
    given = {"email": email, "password": password}
    try:
        answer: dict[str, Any] = api.post("auth/token/", json=given)
    except ClientError as error:
        if not any(line.strip().startswith("code:") for line in error.lines) or not sys.stdin.isatty():
            raise
        answer = api.post("auth/token/", json=given | {"code": _ask("One-time code: ")})
    return answer


def _fields(words: argparse.Namespace) -> dict[str, Any]:
    chosen = {
        "lab": words.lab,
        "environment": words.environment,
        "gpus": words.gpus and words.gpus[0],
        "gpu_milli": words.gpus and words.gpus[1],
        "gpu_memory_mib": words.gpu_memory,
        "gpu_type": words.gpu_type,
        "wall_s": words.wall,
        "title": words.title,
        "entrypoint": words.entrypoint,
        "data_sets": words.data_set or None,
        "account": words.account,
        "preemptible": True if words.preemptible else None,
        "after": _after(words) or None,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _after(words: argparse.Namespace) -> list[dict[str, Any]]:
    """The jobs that must end before this one starts."""
    said = [("afterok", job) for job in words.after or ()] + [("afterany", job) for job in words.after_any or ()]
    return [{"job": job, "condition": condition} for condition, job in said]


def _grid(params: list[str]) -> dict[str, list[Any]]:
    """`lr=0.1,0.01` as a name and its values: JSON where a value is a number, true or false, else a text."""
    grid: dict[str, list[Any]] = {}
    for param in params:
        name, equals, values = param.partition("=")
        if not equals or not values:
            raise usage_error(f"{param!r} is no parameter; write NAME=VALUE,VALUE such as lr=0.1,0.01")
        if name in grid:
            raise usage_error(f"the parameter {name} is there twice; write all of its values in one: {name}=1,2,3")
        grid[name] = [_value(value.strip()) for value in values.split(",")]
    return grid


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _send(api: Api, paths: list[Path], fields: dict[str, Any], key: str, to: str = "jobs/") -> dict[str, Any]:
    archive = texts = None
    if sources.is_one_zip(paths):
        archive = paths[0].read_bytes()
    else:
        files = sources.gather(paths)
        texts = sources.as_texts(files)
        archive = sources.zipped(files) if texts is None else None
    headers = {"Idempotency-Key": key}
    if archive is None:
        body = fields | {"files": texts}
        answer: dict[str, Any] = api.post(to, is_repeatable=True, json=body, headers=headers)
    else:
        upload = {"zip": ("files.zip", archive, "application/zip")}
        # A form has no objects: what is one is sent as JSON text.
        form = {name: json.dumps(value) if name in ("grid", "after") else value for name, value in fields.items()}
        answer = api.post(to, is_repeatable=True, data=form, files=upload, headers=headers)
    return answer


def _ask(words: str) -> str:
    sys.stderr.write(words)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _say(words: str) -> None:
    sys.stderr.write(f"campus: {words}\n")


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _show_json(answer: object) -> None:
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
