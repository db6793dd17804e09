# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP connections live through reloads of the program that tracks them.

A segment of a connection that is not in the flow map is dropped, so a reload that lost the map, or an entry, would
end a connection for good. WIRESPEED_RELOADS says how many reloads.
"""

from __future__ import annotations

import socket
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple

import pytest

from tests.depth import times
from tests.ledger import build
from tests.ledger.connections import Connections
from tests.ledger.reloads import Reloaded, wait_until
from tests.probes import requires, requires_bpf

from .conftest import Places
from .netns import Veth
from .worker import enter_network

pytestmark = [requires_bpf, requires("clang")]

RELOADS = times("WIRESPEED_RELOADS", usual=50, promised=1000)
COUNT = 50
CLIENT, SERVER, PORT = "10.77.0.1", "10.77.0.2", 4242
HOURS = 3 * 3600.0
METHODS = ["root", "direct"]  # of tests/ledger/reloads.py


class Session(NamedTuple):
    """``struct session``; times in ns since boot."""

    first_seen: int
    packets: int
    edition: int


class Sessions(Reloaded):
    """The pipeline of sessions.bpf.c."""

    UNKNOWN = 3

    @property
    def unknown(self) -> int:
        return self.verdict(self.UNKNOWN)

    @property
    def flows(self) -> Dict[bytes, Session]:
        return {key: Session(*struct.unpack_from("3Q", value)) for key, value in self.map("flows").items()}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.pipeline("sessions", tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pipeline with one more member in each entry: a layout that its manifest lets begin empty."""
    return build.pipeline("sessions", tmp_path_factory.mktemp("wider"), "#define WIDER")


@pytest.fixture
def addressed(veth: Veth) -> Veth:
    veth.node.ip("address", "add", f"{SERVER}/24", "dev", veth.ifname)
    veth.wire.ip("address", "add", f"{CLIENT}/24", "dev", veth.wire_ifname)
    return veth


@contextmanager
def connected(veth: Veth) -> Iterator[Connections]:
    """From the wire's namespace into the node's, which is the caller's; a socket stays where it was made."""
    with socket.create_server((SERVER, PORT), backlog=COUNT) as listener:
        enter_network(veth.wire.path)
        clients = [socket.create_connection((SERVER, PORT)) for dummy in range(COUNT)]
        enter_network(veth.node.path)
        connections = Connections(listener, clients)
    with connections.in_use():
        yield connections


def await_echoes(connections: Connections) -> None:
    """Until each connection has carried a number there and back that was sent after now."""
    before = list(connections.echoes)

    def all_more() -> bool:
        assert not connections.broken, connections.broken
        return all(now >= was + 2 for was, now in zip(before, connections.echoes))

    wait_until(all_more, "an echo on each connection")


@pytest.mark.parametrize("method", METHODS)
def test_connections_live_through_reloads(
    addressed: Veth, places: Places, manifest: Path, method: str, record_property: Callable[[str, object], None]
) -> None:
    def on_node() -> List[int]:
        sessions = Sessions(manifest, [addressed.ifname], method)
        sessions.converge()
        with connected(addressed) as connections:
            await_echoes(connections)
            first = sessions.flows
            assert sorted(first) == sorted(connections.names)
            for dummy in range(RELOADS):
                assert "load" in sessions.reload()
                await_echoes(connections)
            last = sessions.flows
        assert {key: flow.first_seen for key, flow in last.items()} == {key: first[key].first_seen for key in first}
        assert {flow.edition for flow in last.values()} == {RELOADS}
        assert all(last[key].packets > first[key].packets for key in first)
        return [sum(connections.echoes), sessions.unknown]

    echoes, unknown = addressed.node.run(on_node, timeout=HOURS)
    record_property("told", f"{RELOADS} reloads on veth by {method}: {COUNT} connections live, {echoes:,} echoes")
    assert unknown == 0, "segments of connections that the program had forgotten"


@pytest.mark.parametrize("method", METHODS)
def test_connections_break_when_their_entries_are_lost(
    addressed: Veth, places: Places, manifest: Path, wider: Path, method: str
) -> None:
    """The test above can fail."""

    def on_node() -> List[List[int]]:
        sessions, emptied = (Sessions(each, [addressed.ifname], method) for each in (manifest, wider))
        sessions.converge()
        with connected(addressed) as connections:
            await_echoes(connections)
            emptied.converge()
            echoes = []
            for segments in (2 * COUNT, 3 * COUNT):  # what was under way has come back, and all is sent again
                wait_until(lambda wanted=segments: sessions.unknown >= wanted, "segments that are dropped")
                echoes.append(list(connections.echoes))
        return echoes

    before, after = addressed.node.run(on_node, timeout=HOURS)
    assert before == after, "numbers came back on connections that the program had forgotten"
