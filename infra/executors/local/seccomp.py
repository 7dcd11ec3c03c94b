"""The system call filter of a sandbox, compiled once per node to the BPF program that bwrap loads."""

from __future__ import annotations

import errno
import tempfile

# What a program that trains a model never needs, by what it would get at.
REFUSED = {
    "mounts and roots": (
        "mount umount umount2 mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick "
        "pivot_root chroot quotactl quotactl_fd swapon swapoff"
    ),
    "namespaces": "unshare setns",
    "other processes": (
        "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd lookup_dcookie process_mrelease"
    ),
    "kernel": (
        "bpf perf_event_open userfaultfd init_module finit_module delete_module create_module kexec_load "
        "kexec_file_load reboot syslog uselib nfsservctl _sysctl acct vhangup iopl ioperm modify_ldt vm86 vm86old "
        "io_uring_setup io_uring_enter io_uring_register fanotify_init name_to_handle_at open_by_handle_at "
        "lsm_set_self_attr"
    ),
    "keys": "add_key request_key keyctl",
    "clock": "settimeofday clock_settime clock_settime64 clock_adjtime clock_adjtime64 adjtimex stime",
    "identity of the machine": "sethostname setdomainname",
    "memory placement of others": "migrate_pages move_pages",
}

# NEWTIME is not among them: in clone() its bit belongs to the exit signal, and unshare() is refused.
_CLONE_NAMESPACES = (
    0x0002_0000,  # NEWNS
    0x0200_0000,  # NEWCGROUP
    0x0400_0000,  # NEWUTS
    0x0800_0000,  # NEWIPC
    0x1000_0000,  # NEWUSER
    0x2000_0000,  # NEWPID
    0x4000_0000,  # NEWNET
)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_LOW_32_BITS = 0xFFFF_FFFF


def program() -> bytes:
    """The compiled filter for this machine's architecture.

    Raises ImportError or OSError when libseccomp is not there.
    """
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for names in REFUSED.values():
        for name in names.split():
            if _is_known(seccomp, name):
                rules.add_rule(refuse, name)
    for flag in _CLONE_NAMESPACES:
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    # Its flags lie in memory where a filter cannot look; with ENOSYS libc falls back to clone.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for request in (_TIOCSTI, _TIOCLINUX):
        # The kernel looks at the low 32 bits only, so must the rule.
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, _LOW_32_BITS, request))
    _refuse_other_sockets(seccomp, rules, refuse)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _refuse_other_sockets(seccomp, rules, refuse) -> None:  # type: ignore[no-untyped-def]  # the module has no types
    allowed = (_AF_UNIX, _AF_INET, _AF_INET6)
    for call in ("socket", "socketpair"):
        rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.GT, max(allowed)))
        for family in range(max(allowed)):
            if family not in allowed:
                rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.EQ, family))


def _is_known(seccomp, name: str) -> bool:  # type: ignore[no-untyped-def]
    """Whether this libseccomp and this architecture have the call; old ones lack the newest."""
    try:
        return bool(seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0)
    except (ValueError, RuntimeError):
        return False
