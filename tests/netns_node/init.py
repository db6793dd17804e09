# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of a node: gives it a root of its own, says "ready", and then only reaps.

Started in fresh mount, PID and UTS namespaces inside the node's network namespace. The root is an overlay over the
machine's: all that the node writes lands in memory and is gone with it. /sys is mounted anew, because a sysfs shows the
network devices of the namespace that it was mounted in. Killing this process ends every other one in the node.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 2, 4, 8, 4096, 16384
MNT_DETACH = 2
# Trees that a machine may have on file systems of their own: an overlay of / shows only the empty mount point of these.
SEPARATE = ("/usr", "/var", "/var/lib", "/opt", "/home", "/etc")
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source: str, target: Path, kind: str, flags: int = 0, options: str = "") -> None:
    words = (source.encode(), os.fsencode(target), kind.encode(), flags, options.encode())
    _checked(_libc.mount(*words), f"mount {kind} on {target}")


def overlay(lower: str, target: Path, memory: Path) -> None:
    number = len(list(memory.iterdir()))
    upper, work = memory / f"upper{number}", memory / f"work{number}"
    upper.mkdir()
    work.mkdir()
    shutil.copystat(lower, upper)
    mount("overlay", target, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")


def make_root(memory: Path, root: Path) -> None:
    mount("tmpfs", memory, "tmpfs", 0, "mode=0755")
    overlay("/", root, memory)
    for path in SEPARATE:
        if os.path.ismount(path):
            overlay(path, root / path[1:], memory)
    mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("/dev", root / "dev", "", MS_BIND | MS_REC)
    mount("tmpfs", root / "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV)
    mount("sysfs", root / "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("bpf", root / "sys/fs/bpf", "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")
    mount("tmpfs", root / "tmp", "tmpfs", 0, "mode=1777")
    mount("tmpfs", root / "root", "tmpfs", 0, "mode=0700")  # whatever shell set-up is here is not the node's
    mount("tmpfs", root / "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    for folder in ("var/lib/wirespeed", "etc/wirespeed"):  # what this machine itself may have there is not the node's
        shutil.rmtree(root / folder, ignore_errors=True)
    (root / "run/sshd").mkdir(mode=0o755)  # sshd wants its privilege separation folder


def enter(root: Path) -> None:
    """pivot_root(2) with both arguments ".": the old root ends up below the new one and is detached."""
    os.chdir(root)
    _checked(_libc.pivot_root(b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")


def reap_for_ever() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while True:
        signal.sigwait([signal.SIGCHLD])
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def main(name: str, folder: Path) -> None:
    memory, root = folder / "memory", folder / "root"
    memory.mkdir()
    root.mkdir()
    make_root(memory, root)
    shutil.copytree(folder / "sshd", root / "etc/ssh/node")
    enter(root)
    socket.sethostname(name)
    print("ready", flush=True)
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    reap_for_ever()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
