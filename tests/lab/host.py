# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of this machine: a QEMU that has igb, the image tools, and KVM where it truly works."""

from __future__ import annotations

import functools
import os
import platform
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import List

from . import cache
from .errors import LabError

QEMU = "qemu-system-x86_64"
INIT_RUNS = b"lab: init"  # the initrd's first word on the console
_TREE = Path(__file__).parents[2]
_TOOLS = {
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "cpio": "cpio",
    "mke2fs": "e2fsprogs",
    "depmod": "kmod",
    "xz": "xz-utils",
    "zstd": "zstd",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "busybox": "busybox-static",
}


def qemu_has_igb() -> bool:
    """QEMU has igb from 8.0 on; Debian 12's own is 7.2."""
    if not shutil.which(QEMU):
        return False
    said = subprocess.run([QEMU, "-device", "help"], check=False, capture_output=True, text=True)
    return 'name "igb"' in said.stdout


def missing() -> List[str]:
    """What keeps the lab from running here, each as a phrase that names the probe; empty when all is there."""
    found = [
        f"`{tool}` (package {package}) is not on PATH" for tool, package in _TOOLS.items() if not shutil.which(tool)
    ]
    if not qemu_has_igb():
        found.append(f"`{QEMU} -device help` lists no igb (QEMU 8.0 or newer; bookworm-backports has it)")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        found.append("/dev/net/tun cannot be opened")
    if os.geteuid():
        found.append("the effective user is not root (tap devices, mmdebstrap)")
    if platform.machine() != "x86_64":
        found.append(f"this machine is {platform.machine()}, the guests are x86_64")
    return found


def install() -> None:
    """Have the project's set-up install what is missing; LabError when something still is afterwards."""
    if missing():
        done = subprocess.run([sys.executable, str(_TREE / "tools" / "setup.py"), "lab", "lab_backports"], check=False)
        left = missing()
        if done.returncode or left:
            raise LabError(f"The virtual fleet cannot run here: {'; '.join(left) or 'the set-up failed, see above'}.")


def accelerator(kernel: Path) -> str:
    """The QEMU -accel argument: KVM when the guest kernel in directory `kernel` really runs under it, else TCG.

    WIRESPEED_LAB_ACCEL=tcg or kvm overrides. /dev/kvm can open, and even run the firmware, and then fail at the first
    instruction that it cannot emulate (nested machines): so the probe is a guest, once per start of this machine.
    """
    chosen = os.environ.get("WIRESPEED_LAB_ACCEL", "")
    if chosen == "kvm" or (not chosen and _kvm_works(kernel)):
        return "kvm"
    return "tcg,thread=multi,tb-size=256"


@functools.cache
def _kvm_works(kernel: Path) -> bool:
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    answer = cache.directory("kvm") / cache.key(started, str(kernel), Path(str(shutil.which(QEMU))).stat().st_mtime)
    if not answer.exists():
        with cache.progress("does a guest run on /dev/kvm"):
            works = _kvm_guest_runs(kernel)
        cache.say(f"  {'yes: KVM' if works else 'no: QEMU translates the guests (TCG), which takes 5 times longer'}")
        cache.prune(answer.parent, keep=4)
        answer.write_text("yes" if works else "no", encoding="ascii")
    return answer.read_text(encoding="ascii") == "yes"


def _kvm_guest_runs(kernel: Path, timeout: float = 15.0) -> bool:
    """True when the guest's init says that it runs; false on KVM's error, the end of QEMU, or silence."""
    command = [
        QEMU,
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-accel",
        "kvm",
        "-cpu",
        "host",
        "-M",
        "q35",
        "-smp",
        "2",
        "-m",
        "256",
        "-kernel",
        str(kernel / "vmlinuz"),
        "-initrd",
        str(kernel / "initrd.cpio"),
        "-append",
        "console=ttyS0 quiet panic=-1",
        "-serial",
        "stdio",
    ]
    said = b""
    end = time.monotonic() + timeout
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        assert qemu.stdout is not None
        while INIT_RUNS not in said and b"KVM internal error" not in said:
            ready, _, _ = select.select([qemu.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(qemu.stdout.fileno(), 65536) if ready else b""
            if not piece:
                break
            said += piece
        qemu.kill()
    return INIT_RUNS in said
