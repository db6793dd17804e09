# SPDX-License-Identifier: GPL-3.0-or-later
"""The loaded scrubber: what is off costs nothing, two CPUs share a source, a map that is full is told, big frames."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from typing import Any, Dict, List, Mapping

import pytest

from tests.pipelines import OBJECTS, scrubber, support
from tests.probes import requires, requires_bpf
from tests.scrubber_model.judge import FEATURES
from wirespeed.kernel.bpf_map import NO_COMMON_LRU
from wirespeed.pipeline import fixtures, layout
from wirespeed.pipeline.manifest import load_manifest
from wirespeed.pipeline.map_spec import Lru
from wirespeed.pipeline.packet import frame
from wirespeed.pipeline.source import PipelineSource

from .netns import command
from .scrubber_here import loaded

pytestmark = [requires_bpf, requires("clang", "bpftool")]

CUSTOMER: Dict[str, List[Any]] = {"customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 12}]}
INSIDE = "203.0.113.7"


def policy(*countermeasures: str, **more: Any) -> Dict[str, List[Any]]:
    return {**CUSTOMER, "policies": [{"policy": 12, "countermeasures": list(countermeasures), **more}]}


def packet(source: str = "198.51.100.9", **more: Any) -> bytes:
    return frame({"ipv4": {"source": source, "destination": INSIDE}, **(more or {"udp": {}})}, "packet")


def instructions(**constants: bool) -> int:
    """Bytes of the program as the verifier left it."""
    everything = {f"with_{feature}": True for feature in FEATURES}
    with loaded(scrubber().with_constants({**everything, **constants})) as found:
        shown: Mapping[str, Any] = json.loads(
            command("bpftool", "-j", "prog", "show", "id", str(found.program.info.id))
        )
    return int(shown["bytes_xlated"])


@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_off_is_no_part_of_the_program(feature: str) -> None:
    assert instructions(**{f"with_{feature}": False}) < instructions()


@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_off_is_not_tested(feature: str) -> None:
    assert fixtures.run(scrubber().with_constants({f"with_{feature}": False})) == ()


def test_a_list_of_addresses_alone_is_a_small_program() -> None:
    others = {f"with_{feature}": False for feature in FEATURES if feature != "deny_addresses"}
    assert instructions(**others) < instructions() / 7


def test_two_cpus_that_share_a_source_take_each_token_once() -> None:
    burst, each = 5000, 10000
    with loaded(scrubber()) as found:
        found.write(policy("rate_limit", rate=1, burst=burst))

        def run(cpu: int) -> None:
            os.sched_setaffinity(threading.get_native_id(), [cpu])
            found.program.test_run(packet(), repeat=each)

        cpus = sorted(os.sched_getaffinity(0))[:2]
        threads = [threading.Thread(target=run, args=(cpu,)) for cpu in cpus]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = found.counts()
    passed, limited = counts["pass"][0], counts["rate_limit"][0]
    assert passed + limited == each * len(cpus)
    # A token a second comes back; a CPU that loses four times running lets its packet in.
    assert burst <= passed <= burst + 60


def test_a_packet_of_an_entity_without_a_counter_is_judged_and_told() -> None:
    with loaded(scrubber(), entities=1) as found:
        found.write({**policy("amplification"), "amplifiers": ["11211"]})
        found.program.test_run(packet())
        for dummy in range(3):
            found.program.test_run(packet(udp={"source": 11211}))
        counts, events = found.counts(), found.events()
    assert {name: packets for name, (packets, dummy) in counts.items()} == {"pass": 1, "amplification": 3}
    assert events == {"entity_no_room": 3}


def test_flows_beyond_the_size_of_their_map_are_told_by_what_was_made() -> None:
    size, syns = 1024, 3000
    with loaded(scrubber(), flows=size) as found:
        found.write(policy("connections"))
        for port in range(syns):
            found.program.test_run(packet(tcp={"source": 1024 + port}))
        assert found.events() == {"flow_made": syns}
        assert 0 < len(found.flows()) <= size


@pytest.mark.parametrize(("kind", "flags"), [(Lru.COMMON, 0), (Lru.PER_CPU, NO_COMMON_LRU)])
def test_the_manifest_chooses_the_lists_of_an_lru_map(kind: Lru, flags: int) -> None:
    manifest = scrubber().manifest
    maps = {**manifest.maps, "flows": replace(manifest.maps["flows"], lru=kind)}
    source = replace(scrubber(), manifest=replace(manifest, maps=maps))
    with loaded(source, flows=1023) as found:
        live = layout.live(found.maps["flows"])
        asked = replace(layout.declared(source.maps["flows"], source.btf), max_entries=1023)
    assert found.maps["flows"].info.flags == flags
    assert layout.differences(live, asked) == []


def test_a_pattern_in_a_later_buffer_is_found() -> None:
    support()  # builds them all
    manifest = load_manifest(OBJECTS / "scrubber_frags.pipeline.yml")
    source = PipelineSource(manifest, (OBJECTS / "scrubber_frags.bpf.o").read_bytes(), support())
    row = {
        "policy": 12,
        "index": 0,
        "protocol": 17,
        "offset": 8000,
        "length": 4,
        "bytes": b"evil".ljust(16, b"\0").hex(),
    }
    big = packet(udp={"destination": 53}, payload={"hex": ("00" * 8000) + b"evil".hex()})
    with loaded(source) as found:
        found.write({**policy("patterns"), "patterns": [row]})
        for dummy in range(2):
            found.program.test_run(big)
        assert found.counts() == {"pattern": (2, 2 * len(big))}
