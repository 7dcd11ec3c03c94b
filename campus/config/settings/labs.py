"""Bounds and times of the labs. Seconds unless a name says otherwise."""

from .environment import env

LABS_MAX_GPUS = env.int("LABS_MAX_GPUS", 8)
LABS_MIN_WALL_S = 10
LABS_MAX_WALL_S = env.int("LABS_MAX_WALL_S", 24 * 3600)
LABS_MAX_ATTEMPTS = 3
LABS_MAX_OPEN_JOBS = env.int("LABS_MAX_OPEN_JOBS", 300)  # a learner's queued and running jobs; above a whole sweep
LABS_SWEEP_MAX_RUNS = env.int("LABS_SWEEP_MAX_RUNS", 256)

LABS_SOURCE_MAX_FILES = 200
LABS_SOURCE_MAX_BYTES = 4 * 1024 * 1024
LABS_PYTHON = "3.11"  # of the nodes' environments: part of their digest
LABS_DATA_SET_MAX_BYTES = env.int("LABS_DATA_SET_MAX_BYTES", 256 * 1024 * 1024)
LABS_LOG_MAX_BYTES = 6 * 1024 * 1024  # what is stored; the node keeps head and tail
LABS_METRIC_MAX_POINTS = 20_000
LABS_ARTIFACT_MAX_FILES = 200
LABS_ARTIFACT_MAX_BYTES = 256 * 1024 * 1024

LABS_LEASE_S = env.float("LABS_LEASE_S", 15.0)
LABS_HEARTBEAT_S = env.float("LABS_HEARTBEAT_S", 2.0)
LABS_CYCLE_EVERY_S = env.float("LABS_CYCLE_EVERY_S", 2.0)
LABS_RECONCILE_EVERY_S = env.float("LABS_RECONCILE_EVERY_S", 5.0)
LABS_NODE_DOWN_AFTER_S = env.float("LABS_NODE_DOWN_AFTER_S", 20.0)

LABS_PREEMPT_GRACE_S = env.int("LABS_PREEMPT_GRACE_S", 60)  # between SIGTERM and the kill of a run that makes room

LABS_MAX_RUNNING_GPUS_PER_LEARNER = env.int("LABS_MAX_RUNNING_GPUS_PER_LEARNER", 8)
LABS_ALLOW_UNCONFINED = env.bool("LABS_ALLOW_UNCONFINED", False)

# A run whose GPUs were used less than this on average for so long is idle: its owner is told, staff after some more.
LABS_IDLE_BELOW_PCT = env.int("LABS_IDLE_BELOW_PCT", 5)
LABS_IDLE_AFTER_MIN = env.int("LABS_IDLE_AFTER_MIN", 20)
LABS_IDLE_STAFF_AFTER_MIN = env.int("LABS_IDLE_STAFF_AFTER_MIN", 30)
