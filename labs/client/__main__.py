"""`campus`, also `python -m labs.client`: the command line, and how errors leave it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from labs.client import commands
from labs.client.problems import INTERRUPTED, OK, ClientError
from labs.client.words import gpus_of, mib_of, plain, seconds_of

CODES = """\
exit codes:
  0    done; with --follow or follow: the job succeeded
  1    the job that was followed did not succeed
  2    the command line, or a file that it names, is wrong
  3    the campus refused; its words say why and what to do
  4    not signed in
  5    the campus does not answer
  130  interrupted; a job that was followed goes on

environment:
  CAMPUS_URL, CAMPUS_TOKEN   used instead of the file that `campus login` keeps
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = parser().parse_args(argv)
    try:
        code: int = words.run(words)
        sys.stdout.flush()
    except ClientError as error:
        first, *rest = map(plain, error.lines)
        sys.stderr.write("\n".join([f"error: {first}", *rest]) + "\n")
        return error.exit_code
    except KeyboardInterrupt:
        if words.command in ("follow", "submit"):
            sys.stderr.write("\ncampus: the job goes on; see it with `campus jobs` and `campus follow ID`\n")
        return INTERRUPTED
    except BrokenPipeError:
        # `campus logs 7 | head`: nobody reads any more, which is no error; closing must not raise it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def parser() -> argparse.ArgumentParser:
    """The words that `campus` understands."""
    top = argparse.ArgumentParser(
        prog="campus",
        description="GPU lab jobs of the AI campus, from the terminal.",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="show the API's answer as JSON")
    of_job = argparse.ArgumentParser(add_help=False)
    of_job.add_argument("id", type=_job_id, help="the job's number")

    _login(found.add_parser("login", help="sign in; the token is kept in a file that only you can read"))
    found.add_parser("logout", help="end the token").set_defaults(run=commands.logout)
    _submit(found.add_parser("submit", parents=[as_json], help="submit files as a job"))
    _sweep(found.add_parser("sweep", parents=[as_json], help="submit files as many runs over parameters"))
    of_sweep = argparse.ArgumentParser(add_help=False)
    of_sweep.add_argument("id", type=_count, help="the sweep's number")
    found.add_parser("runs", parents=[of_sweep, as_json], help="show a sweep's runs, the best marked").set_defaults(
        run=commands.runs
    )
    found.add_parser("cancel-sweep", parents=[of_sweep, as_json], help="stop what is left of a sweep").set_defaults(
        run=commands.cancel_sweep
    )
    found.add_parser("follow", parents=[of_job], help="show a job's log until it is over").set_defaults(
        run=commands.follow
    )
    logs = found.add_parser("logs", parents=[of_job], help="show a job's log as it stands")
    logs.add_argument("--attempt", type=_count, help="of this attempt instead of the last")
    logs.set_defaults(run=commands.logs)
    found.add_parser("cancel", parents=[of_job, as_json], help="stop a job").set_defaults(run=commands.cancel)
    jobs = found.add_parser("jobs", parents=[as_json], help="list jobs, newest first")
    jobs.add_argument("--state", help="only these, joined by commas: QUEUED, RUNNING, SUCCEEDED, FAILED …")
    jobs.add_argument("--all", action="store_true", help="also those of learners whom you teach")
    jobs.add_argument("--limit", type=_count, default=20, help="how many at most (20)")
    jobs.set_defaults(run=commands.jobs)
    usage = found.add_parser("usage", parents=[as_json], help="show GPU hours used and left")
    usage.add_argument("--account", type=_count, help="of this account instead of your own")
    usage.add_argument("--from", dest="since", metavar="DAY", help="first day, as 2026-11-01")
    usage.add_argument("--to", dest="until", metavar="DAY", help="last day")
    usage.set_defaults(run=commands.usage)
    artifacts = found.add_parser("artifacts", parents=[of_job, as_json], help="list what a job left, or download it")
    artifacts.add_argument("--download", metavar="DIR", help="write the files below this folder")
    artifacts.set_defaults(run=commands.artifacts)
    return top


def _login(words: argparse.ArgumentParser) -> None:
    words.add_argument("--url", help="the campus's address; asked for once")
    words.add_argument("--email")
    words.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    words.add_argument("--insecure", action="store_true", help="allow http:// to another machine")
    words.set_defaults(run=commands.login)


def _submit(words: argparse.ArgumentParser) -> None:
    where = words.add_mutually_exclusive_group()
    where.add_argument("--lab", type=_count, metavar="ID", help="a lab of yours; brings its environment and data")
    _of_run(words, where)
    words.add_argument("--follow", action="store_true", help="show its log until it is over")
    words.set_defaults(run=commands.submit)


def _sweep(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "--param", action="append", required=True, metavar="NAME=VALUES",
        help="values between commas, as lr=0.1,0.01; every combination runs; may be repeated",
    )  # fmt: skip
    words.add_argument("--metric", metavar="NAME", help="the value of metrics.json by which the best run is found")
    words.add_argument("--lowest", action="store_true", help="the lowest is best; the highest when left out")
    words.add_argument("--max-running", type=_count, metavar="N", help="so many of its runs at once")
    _of_run(words, words)
    words.set_defaults(run=commands.sweep, lab=None)


def _of_run(words: argparse.ArgumentParser, where: argparse._ActionsContainer) -> None:
    """What a job and each run of a sweep have in common."""
    words.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, or one zip")
    where.add_argument("--environment", metavar="SLUG", help="an environment; plain Python when left out")
    words.add_argument(
        "--gpus", type=_gpus, metavar="N", help="how many, or a share of one in eighths: 2, 0.25, 1/4; 1 when left out"
    )
    words.add_argument(
        "--gpu-memory", type=_gib, metavar="GIB", help="the least memory of each GPU, or of the share, in GiB"
    )
    words.add_argument("--gpu-type", help="which, such as nvidia-h100; any when left out")
    words.add_argument("--wall", type=_wall, metavar="TIME", help="the longest that it may run: 90s, 10m, 1h30m")
    words.add_argument("--title")
    words.add_argument("--entrypoint", help="the file to run; the only one, or main.py")
    words.add_argument("--data-set", action="append", metavar="SLUG", help="read at /data/SLUG; may be repeated")
    words.add_argument("--account", type=_count, metavar="ID", help="the quota account that pays")
    words.add_argument(
        "--preemptible",
        action="store_true",
        help="it may be interrupted (SIGTERM, a minute to save into CAMPUS_CHECKPOINT_DIR) and goes on by itself",
    )
    words.add_argument("--key", help="idempotency key: the same key gives the same job (a new one each time)")
    words.add_argument("--after", type=_job_id, action="append", metavar="ID", help="start once that job has succeeded")
    words.add_argument("--after-any", type=_job_id, action="append", metavar="ID", help="start once that job is over")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _job_id(text: str) -> int:
    return _count(text.removeprefix("#"))


def _gpus(text: str) -> tuple[int, int]:
    try:
        return gpus_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _gib(text: str) -> int:
    try:
        return mib_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _wall(text: str) -> int:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
