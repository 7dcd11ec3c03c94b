"""The argument list of bubblewrap for one run: a pure function of the run, the node and the stage."""

# ruff: noqa: S108  # these are the sandbox's own folders
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from infra.executors.contract import CHECKPOINT, WHOLE_GPU, GpuGrant, RunSpec
from infra.executors.local.node import Node

UID = GID = 1000
PASSWD = f"root:x:0:0:root:/:/usr/sbin/nologin\nlearner:x:{UID}:{GID}:learner:/tmp:/bin/sh\n"
GROUP = f"root:x:0:\nlearner:x:{GID}:\n"
HOSTS = "127.0.0.1 localhost lab\n::1 localhost lab\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files\n"
FAKE_ETC = {"passwd": PASSWD, "group": GROUP, "hosts": HOSTS, "hostname": "lab\n", "nsswitch.conf": NSSWITCH}
# The host's own that programs under /usr need to find each other; none says anything about this machine's people.
HOST_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime")
NVIDIA_COMMON = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
MPS_PIPE = "/run/nvidia-mps"
NVIDIA_SYS = ("/sys/bus/pci", "/sys/devices", "/sys/module/nvidia", "/sys/module/nvidia_uvm")

# Says "the job begins now" on a descriptor of its own, then becomes the job. The limit on processes is set
# only here: inside the user namespace it counts this run's alone (Linux 5.14), outside it would count the user's.
BEGIN = 'ulimit -p {0} 2>/dev/null || ulimit -u {0} 2>/dev/null; echo >&{1}; exec {1}>&-; exec "$@"'


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Numbers of the open descriptors that bubblewrap inherits."""

    info: int
    seccomp: int
    began: int


def real_gpus(spec: RunSpec) -> tuple[GpuGrant, ...]:
    """The granted GPUs that are devices."""
    return tuple(gpu for gpu in spec.gpus if gpu.kind == "nvidia")


def shares_by_mps(spec: RunSpec) -> bool:
    """Whether it has a part of a real GPU on a node where NVIDIA's MPS divides them."""
    return spec.mps_pipe is not None and any(gpu.is_share for gpu in real_gpus(spec))


def environment(spec: RunSpec, node: Node) -> dict[str, str]:
    """The job's environment variables; its own come last but cannot choose another GPU."""
    gpus = real_gpus(spec)
    threads = str(max(math.floor(spec.cpu_cores), 1))
    fixed = {"CUDA_VISIBLE_DEVICES": ",".join(gpu.uuid for gpu in gpus), "OUTPUT_DIR": "/work"}
    base = {
        "PATH": "/env/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "USER": "learner",
        "LOGNAME": "learner",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }
    if spec.environment_digest:
        base["VIRTUAL_ENV"] = "/env"
    if spec.checkpoint is not None:
        fixed["CAMPUS_CHECKPOINT_DIR"] = f"/work/{CHECKPOINT}"
    if shares_by_mps(spec):
        # Limits of each process of the run, not of all together, and only for one that leaves them be (docs/operating).
        (gpu,) = gpus
        fixed["CUDA_MPS_PIPE_DIRECTORY"] = MPS_PIPE
        fixed["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] = str(max(gpu.milli * 100 // WHOLE_GPU, 1))
        fixed["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"] = f"0={gpu.memory_mib}M"  # by index: a UUID is not heeded
    if gpus and node.driver_folders:
        base["LD_LIBRARY_PATH"] = ":".join(node.driver_folders)
    return {**base, **spec.env, **fixed}


def arguments(spec: RunSpec, node: Node, stage: Path, descriptors: Descriptors) -> list[str]:
    """bubblewrap's command line. `stage` holds what the runner mounted for this run."""
    words = [
        node.bwrap, "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
        "--unshare-cgroup-try", "--disable-userns", "--new-session", "--die-with-parent",
        "--uid", str(UID), "--gid", str(GID), "--hostname", "lab",
        "--info-fd", str(descriptors.info), "--seccomp", str(descriptors.seccomp),
    ]  # fmt: skip
    words += _system(node) + _environment_mounts(spec, node, stage)
    words += ["--proc", "/proc", "--dev", "/dev", "--bind", str(stage / "shm"), "/dev/shm"]
    words += _gpu_mounts(spec, node)
    words += ["--bind", str(stage / "tmp"), "/tmp", "--bind", str(stage / "work"), "/work"]
    for number, (name, _path) in enumerate(spec.datasets):
        words += ["--ro-bind", str(stage / "data" / str(number)), f"/data/{name}"]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work", "--clearenv"]
    for name, value in environment(spec, node).items():
        words += ["--setenv", name, value]
    begin = BEGIN.format(spec.max_processes + 2, descriptors.began)
    return [*words, "--", "/bin/sh", "-c", begin, "sh", *spec.argv]


def _system(node: Node) -> list[str]:
    words = ["--ro-bind", "/usr", "/usr"]
    for name, target in node.top_links:
        words += ["--symlink", target, name]
    for folder in node.top_folders:
        words += ["--ro-bind", folder, folder]
    for path in HOST_ETC:
        words += ["--ro-bind-try", path, path]
    return words


def _environment_mounts(spec: RunSpec, node: Node, stage: Path) -> list[str]:
    words = []
    for name in FAKE_ETC:
        words += ["--ro-bind", str(stage / "etc" / name), f"/etc/{name}"]
    if node.interpreter.prefix:
        words += ["--ro-bind", str(stage / "python"), node.interpreter.prefix]
    if spec.environment_digest:
        return [*words, "--ro-bind", str(stage / "env"), "/env"]
    links = ("python", "python3")
    return words + [word for link in links for word in ("--symlink", node.interpreter.executable, f"/env/bin/{link}")]


def _gpu_mounts(spec: RunSpec, node: Node) -> list[str]:
    gpus = real_gpus(spec)
    if not gpus:
        return []
    words = []
    for gpu in gpus:
        words += ["--dev-bind", str(gpu.device_path), str(gpu.device_path)]
    for path in NVIDIA_COMMON:
        words += ["--dev-bind-try", path, path]
    for path in (*NVIDIA_SYS, *node.driver_folders):
        words += ["--ro-bind-try", path, path]
    if shares_by_mps(spec):
        words += ["--bind", str(spec.mps_pipe), MPS_PIPE]
    return words
