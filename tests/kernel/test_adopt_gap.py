# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that someone else attached is taken over under traffic, and every single frame is accounted for.

It is the ledger itself, loaded by others: its maps are handed over by their names, so that what it noted and what our
generations note is in one ledger.
"""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack
from typing import Callable, ContextManager, Dict

import pytest

from tests.ledger.account import Account, account
from tests.ledger.reloads import Ledger, wait_until
from tests.ledger.stack import Stack
from tests.probes import requires, requires_bpf
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram

from . import foreign_attached
from .conftest import Places
from .netns import Veth
from .numbered import METHODS, PROGRESS, SOURCES, Built, built_in, numbered

pytestmark = [requires_bpf, requires("clang")]

RELOADS = 10
Hold = Callable[[Veth, Built], ContextManager[int]]


def by_netlink(veth: Veth, built: Built) -> ContextManager[int]:
    return foreign_attached.by_netlink(veth, built.manifest.with_name("ledger.bpf.o"))


def by_link(veth: Veth, built: Built) -> ContextManager[int]:
    return foreign_attached.by_link(veth, built.manifest.with_name("ledger.bpf.o"), "ledger")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_in(tmp_path_factory.mktemp("ledger"))


def fill(foreign: int) -> None:
    """The owner's row in its own table."""
    address, length = SOURCES[0].split("/")
    with maps_of(foreign)["numbered"] as table:
        table.update(struct.pack("I4s", int(length), socket.inet_aton(address)), b"\1")


def maps_of(program: int) -> Dict[str, BpfMap]:
    with BpfProgram.by_id(program) as found:
        maps = [BpfMap.by_id(number) for number in found.info.map_ids]
    return {each.info.name: each for each in maps}


def noted(foreign: int) -> int:
    with maps_of(foreign)["verdicts"] as verdicts:
        values = verdicts.lookup_percpu(Ledger.COUNTED.to_bytes(4, "little"))
    return sum(int.from_bytes(value[:8], "little") for value in values)


def in_traffic(veth: Veth, built: Built, hold: Hold, method: str, change: Callable[[Ledger, Stack], None]) -> Account:
    """``change`` while the foreign program notes frames; then it is over with its holder, and ours is reloaded."""
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")

    def on_node() -> Account:
        ledger = Ledger(built.manifest, [veth.ifname], method, {"numbered": SOURCES}, {"foreign": "adopt"})
        ledger.edition = 1  # the foreign one is edition 0
        with ExitStack() as held, Stack(veth.ifname) as stack:
            foreign = held.enter_context(hold(veth, built))
            fill(foreign)
            with numbered(veth, built.sender) as stop:
                wait_until(lambda: noted(foreign) >= PROGRESS, "a frame that the foreign program notes")
                change(ledger, stack)
                held.close()
                for dummy in range(RELOADS):
                    ledger.await_progress(PROGRESS)
                    ledger.reload()
                ledger.await_progress(PROGRESS)
                taken = stop()
            ledger.settle(lambda: ledger.counted + stack.frames, taken)
            return account(ledger.seen, taken, stack.frames)

    return veth.node.run(on_node)  # type: ignore[no-any-return]


def adopt(ledger: Ledger, dummy: Stack) -> None:
    actions = [step["action"] for step in ledger.converge()["steps"]]
    assert actions[:3] == ["adopt", "root", "swap"]
    assert not {"attach", "detach"} & set(actions)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hold", [by_netlink, by_link])
def test_an_adoption_loses_nothing(
    veth: Veth, places: Places, built: Built, hold: Hold, method: str, record_property: Callable[[str, object], None]
) -> None:
    found = in_traffic(veth, built, hold, method, adopt)
    record_property("told", f"adopted {hold.__name__} and {RELOADS} reloads on veth by {method}: {found}")
    assert found.lossless, found
    assert found.once == found.taken >= RELOADS * PROGRESS


def test_a_hook_that_is_freed_first_is_seen_in_the_account(veth: Veth, places: Places, built: Built) -> None:
    """What it costs to take the program off and attach ours, as one would without adopting."""

    def gap(ledger: Ledger, stack: Stack) -> None:
        before = stack.frames
        veth.node.ip("link", "set", veth.ifname, "xdpdrv", "off")
        wait_until(lambda: stack.frames > before, "a frame that nothing filters")
        ledger.converge()

    found = in_traffic(veth, built, by_netlink, "root", gap)
    assert found.never >= found.escaped > 0 and not found.lossless
