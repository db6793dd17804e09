# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions delivered under traffic, while every packet looks into two tables four times: by a swap no packet meets two
versions, and row by row packets do, so that the same count shows what it is there to show.

WIRESPEED_VERSIONS says how many versions are delivered by each strategy.
"""

from __future__ import annotations

import signal
import struct
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from tests.depth import times
from tests.lab.frames import udp
from tests.ledger.reloads import wait_until
from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.config.compiled import Compiled, layout_of
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import Strategy
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .config_cases import Configured
from .conftest import Places
from .netns import Veth
from .numbered import HOURS, no_ipv6

pytestmark = [requires_bpf, requires("clang")]

ROWS = 256
SAME, MIXED, MISSING = range(3)
BETWEEN = 500
"""Packets counted between two deliveries."""
PROMISED = 1000
VERSIONS = times("WIRESPEED_VERSIONS", usual=40, promised=PROMISED)
PROGRAMS = times("WIRESPEED_VERSIONS", usual=6, promised=PROMISED)
MANIFEST: Dict[str, Any] = {
    "maps": {
        "routes": {"role": "config", "table": "records"},
        "policies": {"role": "config", "table": "records"},
        "verdicts": {"role": "stats"},
    },
    "verdicts": [{"name": name, "action": "drop"} for name in ("same", "mixed", "missing")],
}
Tell = Callable[[str, object], None]


def source() -> PipelineSource:
    code = Path(__file__).with_name("consistency.bpf.c").read_text(encoding="utf-8")
    return small(code.replace("#include <wirespeed.h>\n", ""), **MANIFEST)


def document(made: PipelineSource, version: int) -> Compiled:
    """Each row leads to another one in each version."""
    hops = b"".join(struct.pack("<II", (number * 7 + version) % ROWS, version) for number in range(ROWS))
    routes = b"".join(struct.pack("<I4B", 32, 10, 0, 0, number) for number in range(ROWS))
    policies = b"".join(struct.pack("<I", number) for number in range(ROWS))
    tables = {"routes": Packed(8, 8, routes, hops), "policies": Packed(4, 8, policies, hops)}
    return Compiled("small", 1, layout_of(made.tables), tables)


@dataclass(frozen=True)
class Counts:
    same: int
    mixed: int
    missing: int

    @property
    def packets(self) -> int:
        return self.same + self.mixed + self.missing


def counted(verdicts: BpfMap) -> Counts:
    cells = [verdicts.lookup_percpu(number.to_bytes(4, "little")) for number in (SAME, MIXED, MISSING)]
    return Counts(*(sum(int.from_bytes(cell[:8], "little") for cell in each) for each in cells))


def meet(verdicts: BpfMap) -> None:
    """Until so many more packets have met what is live."""
    enough = counted(verdicts).packets + BETWEEN
    wait_until(lambda: counted(verdicts).packets >= enough, f"{BETWEEN} packets counted")


@contextmanager
def traffic(veth: Veth, sender: Path) -> Iterator[None]:
    """From every address that has a route, as fast as it goes."""
    command = veth.wire.inside(str(sender), veth.wire_ifname, str(ROWS))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(udp(veth.mac, 0, source="10.0.0.0"))
            process.stdin.close()
            assert process.stdout.readline() == b"sending\n"
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()


def delivered(veth: Veth, sender: Path, strategy: Strategy, versions: int) -> Counts:
    """What was counted while so many versions were delivered."""
    no_ipv6(veth)

    def on_node() -> Counts:
        made = source()
        node = Configured(veth.ifname, made)
        config_engine.apply("small", document(made, 0), Strategy.ENTRY)
        with instance.open_map(node.paths, "small", made.generation, "verdicts") as verdicts:
            with traffic(veth, sender):
                for version in range(1, versions + 1):
                    meet(verdicts)
                    told = config_engine.apply("small", document(made, version), strategy)
                    assert (told.version, told.operations) == (version + 1, 2 * ROWS)
            return counted(verdicts)

    found: Counts = veth.node.run(on_node, timeout=HOURS)
    return found


@pytest.mark.parametrize("strategy, versions", [(Strategy.MAP_SWAP, VERSIONS), (Strategy.PROGRAM_SWAP, PROGRAMS)])
def test_no_packet_meets_two_versions_by_a_swap(
    veth: Veth, places: Places, sender: Path, strategy: Strategy, versions: int, record_property: Tell
) -> None:
    found = delivered(veth, sender, strategy, versions)
    record_property("told", f"{versions} versions by {strategy}: {found}")
    assert (found.mixed, found.missing) == (0, 0)


def test_row_by_row_packets_meet_two_versions(veth: Veth, places: Places, sender: Path, record_property: Tell) -> None:
    found = delivered(veth, sender, Strategy.ENTRY, VERSIONS)
    record_property("told", f"{VERSIONS} versions by entry: {found}")
    assert found.mixed > 0
