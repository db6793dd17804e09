# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered frames on a veth pair, and the ledger that notes each of them while a test changes what filters them."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from tests.lab.frames import udp
from tests.ledger import build
from tests.ledger.account import Account, account
from tests.ledger.reloads import Ledger
from tests.ledger.stack import Stack

from .netns import Veth

PER_SECOND = 50_000
PROGRESS = 500
"""Frames that must be noted between two changes, so that each happens in the middle of traffic."""
SOURCE, SOURCES = "192.0.2.66", ["192.0.2.0/24"]
ROOM = 4096 * 4096  # numbers that the ledger has room for
HOURS = 3 * 3600.0
METHODS = ["root", "direct"]  # of tests/ledger/reloads.py
Change = Callable[[Ledger, Stack], None]


@dataclass(frozen=True)
class Built:
    manifest: Path
    sender: Path


def built_in(folder: Path) -> Built:
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
            assert taken < ROOM - PROGRESS, "the ledger was full before the changes were over"
            return taken

        try:
            process.stdin.write(udp(veth.mac, 0, source=SOURCE))
            process.stdin.close()
            assert process.stdout.readline() == b"sending\n"
            yield stop
        finally:
            process.kill()


def no_ipv6(veth: Veth) -> None:
    """No frame on the wire but those of the test."""
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")


def in_traffic(veth: Veth, built: Built, method: str, change: Change, times: int) -> Account:
    """Makes ``change`` ``times`` times, each after the ledger has grown since the one before."""
    no_ipv6(veth)

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
