# SPDX-License-Identifier: GPL-3.0-or-later
"""What others put a program on a NIC with: xdp-loader of xdp-tools, and ip of iproute2, each a process of its own.

All of it happens in the present network namespace.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.kernel.netns import command
from tests.probes import failure
from wirespeed.kernel import bpf_link
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline.attach import ifindex


def missing() -> str:
    """Why there is no xdp-loader here; empty where there is one."""
    return failure("xdp-tools")


def load(nic: str, program: Path) -> str:
    """Why libxdp did without its dispatcher, in its own words; empty when the dispatcher is on the NIC."""
    argv = ["xdp-loader", "load", "-vv", "-m", "native", nic, str(program)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stderr.splitlines()
    with carried(nic) as found:
        if found.info.name == "xdp_dispatcher":
            return ""
    words = [line.removeprefix(" libxdp: ") for line in said if "failed" in line and "libxdp" in line]
    return words[-1] if words else "it does not say why"


def reload(nic: str, program: Path) -> None:
    """It has no verb to exchange a program; between the two the NIC has none."""
    command("xdp-loader", "unload", "--all", nic)
    command("xdp-loader", "load", "-m", "native", nic, str(program))


def force(nic: str, pin: Path) -> None:
    """Exchanges what is on the NIC for a program that is loaded already."""
    command("ip", "-force", "link", "set", "dev", nic, "xdpdrv", "pinned", str(pin))


def carried(nic: str) -> BpfProgram:
    """What the NIC carries."""
    holder = bpf_link.query(ifindex(nic))
    assert holder is not None, f"{nic} carries no program"
    return BpfProgram.by_id(holder.prog_id)
