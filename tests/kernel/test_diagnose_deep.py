# SPDX-License-Identifier: GPL-3.0-or-later
"""What bcc's probes add to a diagnosis, where bcc and kernel headers are; and what is said where they are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.probes import requires_bpf
from wirespeed.diagnose_engine import diagnose
from wirespeed.gather import BUILT_IN_PROFILES, built_in_probes
from wirespeed.profiles.load import load

from .conftest import Places
from .frames import ETH_P_IP, ethernet, ipv4, send
from .netns import Veth

pytestmark = requires_bpf

SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")
HEADERS = Path("/usr/src")
Told = Dict[str, Any]


@pytest.fixture
def bcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution's bcc, importable here, with headers of any Debian kernel in one directory."""
    if not (SYSTEM_PACKAGES / "bcc").is_dir():
        pytest.skip(f"probe: {SYSTEM_PACKAGES}/bcc is not there (package python3-bpfcc)")
    commons = sorted(HEADERS.glob("linux-headers-*-common"))
    for common in commons:
        own = common.with_name(common.name.replace("-common", "-amd64"))
        if own.is_dir():
            break
    else:
        pytest.skip(f"probe: {HEADERS}/linux-headers-*-common and -amd64 are not there")
    merged, path = tmp_path / "headers", tmp_path / "path"
    for source in (common, own):
        merged.mkdir(exist_ok=True)
        subprocess.run(["cp", "-as", "--remove-destination", f"{source}/.", str(merged)], check=True)
    path.mkdir()
    (path / "bcc").symlink_to(SYSTEM_PACKAGES / "bcc")
    monkeypatch.setenv("BCC_KERNEL_SOURCE", str(merged))
    monkeypatch.syspath_prepend(str(path))


@pytest.fixture
def without_bcc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "bcc", None)
    yield


def diagnosed(veth: Veth, count: int) -> Told:
    """While datagrams come to the node's own address, where nobody listens."""
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    veth.node.ip("address", "add", "203.0.113.1/24", "dev", veth.ifname)
    mac = bytes.fromhex(veth.node.links()[veth.ifname]["address"].replace(":", ""))
    frame = ethernet(ETH_P_IP, ipv4("203.0.113.9", destination="203.0.113.1"), destination=mac)

    def run() -> Told:
        sent = [frame] * count
        profiles = load([BUILT_IN_PROFILES])
        return diagnose(
            veth.ifname, profiles, built_in_probes(), lambda: veth.wire.run(send, veth.wire_ifname, sent), deep=True
        )

    return dict(veth.node.run(run))


def test_why_the_stack_dropped_is_told_by_the_kernels_name(veth: Veth, places: Places, bcc: None) -> None:
    told = diagnosed(veth, 60)
    assert (told["causes"][0]["stage"], told["causes"][0]["frames"]) == ("stack", 60), told["text"]
    assert told["evidence"]["deep"]["reasons"] == {"NO_SOCKET": 60}


def test_how_late_softirqs_begin_is_told(veth: Veth, places: Places, bcc: None) -> None:
    waits = diagnosed(veth, 60)["evidence"]["deep"]["waits"].values()
    assert sum(each["times"] for each in waits) > 0
    assert all(0 < each["half_below"] <= each["all_below"] for each in waits)


def test_without_bcc_it_says_what_it_could_not_see(veth: Veth, places: Places, without_bcc: None) -> None:
    told = diagnosed(veth, 5)
    (unseen,) = [text for text in told["unseen"] if "why the stack drops" in text]
    assert "python3-bpfcc" in unseen and told["evidence"]["deep"] is None
