"""Short words for sweeps, for the tests that make some."""

from typing import Any

from labs.jobs import api as jobs
from labs.jobs.models import Job, Sweep
from tests.jobs.build import MAIN, World

GRID = {"lr": [0.1, 0.01], "optimizer": ["adam", "sgd", "rmsprop"]}


def try_sweep(world: World, *, grid: Any = None, points: Any = (), **changes: Any) -> tuple[Sweep, bool]:
    """Six runs by default, each as `World.submit` asks for them."""
    of_sweep = {name: changes.pop(name) for name in ("metric", "direction", "max_running") if name in changes}
    asked = jobs.SweepWish(grid=(GRID if grid is None and not points else grid or {}), points=points, **of_sweep)
    wish: dict[str, Any] = {
        "account_id": world.account.pk, "title": "Digits", "environment_id": None, "files": MAIN,
        "entrypoint": "main.py", "gpus": 1, "gpu_type": "", "wall_s": 600, "data_set_ids": (),
        "preferred_campus_id": None, "deadline_at": None, "work_key": "", "idempotency_key": None,
    }  # fmt: skip
    owner = changes.pop("owner", world.learner)
    return jobs.submit_sweep(owner=owner, wish=jobs.Wish(**(wish | changes)), asked=asked)


def sweep(world: World, **changes: Any) -> Sweep:
    return try_sweep(world, **changes)[0]


def runs(of: Sweep) -> list[Job]:
    return list(Job.objects.filter(sweep=of).order_by("id"))
