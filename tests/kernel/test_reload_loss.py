# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole reloads under traffic, and an account of every single frame: judged once, twice, never, or not at all.

WIRESPEED_RELOADS says how many reloads; 1000 are the promise.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.lab.frames import udp
from tests.ledger import build
from tests.ledger.account import Account, account
from tests.ledger.reloads import Ledger, wait_until
from tests.ledger.stack import Stack
from tests.probes import requires, requires_bpf

from .conftest import Places
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

RELOADS = int(os.environ.get("WIRESPEED_RELOADS", "300"))
GAPS = 5
PER_SECOND = 50_000
PROGRESS = 500
"""Frames that must be noted between two reloads, so that each happens in the middle of traffic."""
SOURCE, SOURCES = "192.0.2.66", ["192.0.2.0/24"]
ROOM = 4096 * 4096  # numbers that the ledger has room for
HOURS = 3 * 3600.0
METHODS = ["root", "direct"]  # of tests/ledger/reloads.py
Change = Callable[[Ledger, Stack], None]


@dataclass(frozen=True)
class Built:
    manifest: Path
    sender: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("ledger")
    return Built(build.pipeline("ledger", folder), build.sender(folder))


@contextmanager
def numbered(veth: Veth, sender: Path) -> Iterator[Callable[[], int]]:
    """Yields a function that stops the sender and returns how many numbers the kernel took."""
    command = veth.wire.inside(str(sender), veth.wire_ifname, str(PER_SECOND), str(ROOM))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None

        def stop() -> int:
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            taken = int(process.stdout.read().split()[0])
            assert taken < ROOM - PROGRESS, "the ledger was full before the reloads were over"
            return taken

        try:
            process.stdin.write(udp(veth.mac, 0, source=SOURCE))
            process.stdin.close()
            assert process.stdout.readline() == b"sending\n"
            yield stop
        finally:
            process.kill()


def in_traffic(veth: Veth, built: Built, method: str, change: Change, times: int) -> Account:
    """Makes ``change`` ``times`` times, each after the ledger has grown since the one before."""
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")

    def on_node() -> Account:
        ledger = Ledger(built.manifest, [veth.ifname], method, {"numbered": SOURCES})
        ledger.converge()
        with Stack(veth.ifname) as stack:
            with numbered(veth, built.sender) as stop:
                for dummy in range(times):
                    ledger.await_progress(PROGRESS)
                    change(ledger, stack)
                ledger.await_progress(PROGRESS)
                taken = stop()
            ledger.settle(lambda: ledger.counted + stack.frames, taken)
            found = account(ledger.seen, taken, stack.frames)
        assert ledger.counted == found.once, "the verdicts are of other frames than the ledger"
        assert len(ledger.generations) <= 3, "older generations are not collected"
        return found

    return veth.node.run(on_node, timeout=HOURS)


def reload(ledger: Ledger, dummy: Stack) -> None:
    """What the new generation needs is there before it is published; the NIC keeps its attachment."""
    actions = ledger.reload()
    assert actions.index("load") < actions.index("configure") < actions.index("publish")
    assert "attach" not in actions


@pytest.mark.parametrize("method", METHODS)
def test_reloads_lose_nothing(
    veth: Veth, places: Places, built: Built, method: str, record_property: Callable[[str, object], None]
) -> None:
    found = in_traffic(veth, built, method, reload, RELOADS)
    record_property("told", f"{RELOADS} reloads on veth by {method}: {found}")
    assert found.lossless, found
    assert found.once == found.taken >= RELOADS * PROGRESS


@pytest.mark.parametrize("method", METHODS)
def test_detach_and_attach_is_seen_in_the_account(
    veth: Veth, places: Places, built: Built, method: str, record_property: Callable[[str, object], None]
) -> None:
    """The same account can fail: this is what a reload costs that takes the program off meanwhile."""

    def gap(ledger: Ledger, stack: Stack) -> None:
        before = stack.frames
        ledger.detach()
        wait_until(lambda: stack.frames > before, "a frame that nothing filters")
        ledger.reload()

    found = in_traffic(veth, built, method, gap, GAPS)
    record_property("told", f"{GAPS} times detach and attach on veth by {method}: {found}")
    assert found.never >= found.escaped > 0
    assert not found.lossless
