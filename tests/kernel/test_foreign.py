# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that others wrote and compiled, from a Debian package, run with no more than a manifest beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.probes import CLONE_NEWNS, requires, requires_bpf, unshare
from wirespeed.pipeline.inventory import inventory
from wirespeed.pipeline.pins import Paths

from .conftest import Places
from .foreign_here import ALLOWED, arriving, beside, converge, stats
from .frames import FROM, frame_v4, frame_v6
from .netns import Factory, Veth, command

pytestmark = [requires_bpf, requires("clang", "xdp-tools")]

DROP = 1  # enum xdp_action
BAD, GOOD = "192.0.2.66", "192.0.2.1"


def to_port(port: int) -> bytes:
    """A UDP packet; its destination port lies behind 14 + 20 + 2 bytes."""
    frame = frame_v4(GOOD)
    return frame[:36] + port.to_bytes(2, "big") + frame[38:]


def from_station(address: str) -> bytes:
    frame = frame_v4(GOOD)
    return frame[:6] + bytes.fromhex(address.replace(":", "")) + frame[6 + len(FROM) :]


DENIED: Dict[str, Any] = {
    "filter_ipv4": (BAD, frame_v4(BAD), frame_v4(GOOD)),
    "filter_ipv6": ("2001:db8::66", frame_v6("2001:db8::66"), frame_v6("2001:db8::1")),
    "filter_ports": ("443", to_port(443), to_port(47873)),  # 47873 is 443 in the other byte order
    "filter_ethernet": ("02:00:5e:00:53:66", from_station("02:00:5e:00:53:66"), from_station("02:00:5e:00:53:01")),
}


@pytest.fixture
def pair(namespaces: Factory) -> Veth:
    """With one queue, and silent but for what the tests send."""
    made = namespaces.veth()
    for netns, name in ((made.node, made.ifname), (made.wire, made.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    return made


@pytest.fixture
def allow(tmp_path: Path) -> Path:
    return beside(tmp_path / "allow", "xdp-filter")


@pytest.fixture
def deny(tmp_path: Path) -> Path:
    return beside(tmp_path / "deny", "xdp-filter-deny-ip")


def actions(result: Dict[str, Any]) -> List[str]:
    return [step["action"] for step in result["steps"] if step["action"] != "set"]


@pytest.mark.parametrize("table", DENIED)
def test_what_a_table_names_is_dropped_and_the_rest_passes(pair: Veth, places: Places, allow: Path, table: str) -> None:
    row, bad, good = DENIED[table]
    converge(pair, allow, **{table: [row]})
    assert arriving(pair, {"bad": bad, "good": good}) == {"good"}


def test_a_row_that_is_taken_out_passes_again(pair: Veth, places: Places, allow: Path) -> None:
    converge(pair, allow, filter_ipv4=[BAD], filter_ports=["443"])
    converge(pair, allow)
    assert arriving(pair, {"address": frame_v4(BAD), "port": to_port(443)}) == {"address", "port"}


def test_hits_that_the_program_counts_in_its_rows_are_no_drift(pair: Veth, places: Places, allow: Path) -> None:
    wanted = {"filter_ipv4": [BAD], "filter_ports": ["443"]}
    converge(pair, allow, **wanted)
    arriving(pair, {"address": frame_v4(BAD), "port": to_port(443)})
    assert actions(converge(pair, allow, **wanted)) == []


def test_a_reload_to_another_of_its_objects_counts_on(pair: Veth, places: Places, allow: Path, deny: Path) -> None:
    converge(pair, allow, filter_ipv4=[BAD])
    arriving(pair, {str(n): frame_v4(BAD) for n in range(3)})
    before = stats(DROP)
    converge(pair, deny, filter_ipv4=[ALLOWED, BAD])
    assert arriving(pair, {"bad": frame_v4(BAD), "good": frame_v4(GOOD)}) == {"bad"}
    assert stats(DROP) == {"map": before["map"], "packets": before["packets"] + 1} and before["packets"] == 3


def test_a_list_of_what_is_denied_never_becomes_one_of_what_is_allowed(
    pair: Veth, places: Places, allow: Path, deny: Path
) -> None:
    """xdp-filter itself, with its maps kept, warns of that (xdp-filter/README.org)."""
    converge(pair, allow, filter_ipv4=[BAD])
    converge(pair, deny, filter_ipv4=[ALLOWED])
    assert arriving(pair, {"bad": frame_v4(BAD), "good": frame_v4(GOOD)}) == set()


def test_the_object_before_is_back_with_one_slot_write(pair: Veth, places: Places, allow: Path, deny: Path) -> None:
    converge(pair, allow, filter_ipv4=[BAD])
    converge(pair, deny, filter_ipv4=[ALLOWED])
    assert actions(converge(pair, allow, filter_ipv4=[BAD])) == ["publish"]
    assert arriving(pair, {"bad": frame_v4(BAD), "good": frame_v4(GOOD)}) == {"good"}


def test_the_same_object_with_a_bigger_table_counts_on(pair: Veth, places: Places, allow: Path, tmp_path: Path) -> None:
    spec = "filter_ipv4: {role: config, table: address_set"
    bigger = beside(tmp_path / "bigger", "xdp-filter", **{spec: f"{spec}, max_entries: 20000"})
    converge(pair, allow, filter_ipv4=[BAD])
    arriving(pair, {"bad": frame_v4(BAD)})
    before = stats(DROP)
    many = [f"10.0.{n >> 8}.{n & 255}" for n in range(10_001)]  # one more than the object's own size
    converge(pair, bigger, filter_ipv4=many)
    assert stats(DROP) == before
    assert arriving(pair, {"bad": frame_v4(BAD), "many": frame_v4(many[-1])}) == {"bad"}


def test_maps_that_want_to_be_pinned_by_name_are_not(pair: Veth, places: Places, allow: Path) -> None:
    """Each of its maps says LIBBPF_PIN_BY_NAME, which is in /sys/fs/bpf for libbpf; so one is mounted there."""
    before = set(os.listdir(places.bpffs))

    def on_node() -> "set[str]":
        unshare(CLONE_NEWNS)
        command("mount", "--make-rprivate", "/")
        command("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        kernels_own = set(os.listdir("/sys/fs/bpf"))
        converge(pair, allow, filter_ipv4=[BAD])
        return set(os.listdir("/sys/fs/bpf")) - kernels_own

    assert pair.node.run(on_node) == set()
    assert set(os.listdir(places.bpffs)) - before == {"wirespeed"}


def test_a_program_with_data_and_without_tables_passes_what_no_socket_wants(
    pair: Veth, places: Places, tmp_path: Path
) -> None:
    converge(pair, beside(tmp_path / "sockets", "af-xdp"), "af-xdp")
    assert arriving(pair, {"good": frame_v4(GOOD)}) == {"good"}


def test_a_program_of_another_size_replaces_it_and_goes_again(pair: Veth, places: Places, tmp_path: Path) -> None:
    small = beside(tmp_path / "small", "af-xdp")
    big = beside(tmp_path / "big", "af-xdp", **{"role: state": "role: state, max_entries: 128"})
    converge(pair, small, "af-xdp")
    first = published()
    converge(pair, big, "af-xdp")
    assert published() != first
    assert actions(converge(pair, small, "af-xdp")) == ["publish"]
    assert published() == first


def published() -> List[str]:
    return [found.generation for found in inventory(Paths.from_environment()).instances if found.published]
