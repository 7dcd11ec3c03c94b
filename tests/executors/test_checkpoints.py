"""What a preemptible run is brought, what of it is taken first, and what may not be brought at all."""

from __future__ import annotations

import pytest

from infra.executors.contract import CheckpointFile, EndReason, InvalidRunSpec, OutputCaps
from tests.executors.support import play, spec_of

pytestmark = pytest.mark.sandbox


def test_a_saved_file_is_there_and_may_be_changed(executor, tmp_path):
    (tmp_path / "0").write_bytes(b"7")
    played = play(
        executor,
        """
        import os, pathlib
        place = pathlib.Path(os.environ["CAMPUS_CHECKPOINT_DIR"], "sub", "count")
        place.write_text(str(int(place.read_text()) + 1))
        """,
        checkpoint=(CheckpointFile("checkpoint/sub/count", tmp_path / "0"),),
    )
    assert (played.ended.exit_code, played.contents) == (0, {"checkpoint/sub/count": b"8"})
    assert 0 <= played.ended.checkpoint_seconds <= played.ended.run_seconds


def test_without_a_checkpoint_there_is_no_folder_and_no_second(executor):
    played = play(executor, "import os; print(os.path.exists('checkpoint'), 'CAMPUS_CHECKPOINT_DIR' in os.environ)")
    assert played.log.split() == ["False", "False"]
    assert played.ended.checkpoint_seconds is None


def test_a_file_whose_time_was_set_back_counts_from_when_it_was_written(executor):
    played = play(
        executor,
        "import os, time\ntime.sleep(0.6)\nopen('checkpoint/a', 'w').write('a')\nos.utime('checkpoint/a', (0, 0))",
        checkpoint=(),
    )
    assert played.ended.checkpoint_seconds >= 0.5


def test_other_outputs_do_not_take_the_checkpoints_room(executor):
    played = play(
        executor,
        "open('a', 'w').write('x' * 800)\nopen('checkpoint/z', 'w').write('y' * 800)",
        checkpoint=(),
        caps=OutputCaps(total=1000),
    )
    assert list(played.contents) == ["checkpoint/z"]
    assert list(played.skipped) == ["a"]


def test_a_stop_has_the_grace_that_it_names_and_the_earlier_kill_counts(executor):
    deaf = "import signal, time\nsignal.signal(15, lambda *_: print('asked', flush=True))\nprint('on', flush=True)\n"
    wait = "end = time.monotonic() + 20\nwhile time.monotonic() < end: time.sleep(0.1)"

    def stop(run, _heard):
        run.stop("preempted", 60.0)
        run.stop("cancelled")

    played = play(executor, deaf + wait, during=stop, term_grace_s=0.5)
    assert (played.ended.reason, played.ended.detail, played.ended.signal) == (EndReason.STOPPED, "preempted", 9)
    assert played.log.count("asked") == 1
    assert 0.4 < played.ended.run_seconds < 10


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("checkpoint/../main.py", {}),
        ("/etc/passwd", {}),
        ("elsewhere/a", {}),
        ("checkpoint", {}),
        ("checkpoint/a/b", {"checkpoint/a": b""}),
        ("checkpoint/a", {"checkpoint": b""}),
    ],
)
def test_only_what_lies_in_the_checkpoint_is_brought(executor, tmp_path, path, files):
    (tmp_path / "0").write_bytes(b"")
    with pytest.raises(InvalidRunSpec, match="checkpoint"):
        executor.start(spec_of("", checkpoint=(CheckpointFile(path, tmp_path / "0"),), files=files), None)
