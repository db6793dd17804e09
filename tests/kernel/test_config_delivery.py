# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents delivered to a pipeline: by each strategy, whole or not at all, back and forth, and by who else."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, Callable, Dict, List
from unittest import mock

import pytest

from tests.pipelines import bundle_of, small
from tests.probes import requires, requires_bpf
from wirespeed import config_engine, pipeline_engine
from wirespeed.apply.executor import ApplyFailed
from wirespeed.config import sides, store
from wirespeed.config.compiled import Compiled
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import Strategy
from wirespeed.errors import BadInput, KernelRefusal, Refused, WirespeedError
from wirespeed.kernel import bpf_batch
from wirespeed.pipeline import fixtures, instance
from wirespeed.pipeline.source import PipelineSource

from . import test_tables
from .config_cases import MAPS, PLAIN, PROGRAM, SIDED, Configured, Rows, document, live_rows, one_sided, sided
from .conftest import Places
from .netns import Factory, Veth
from .test_restore import reboot, told

pytestmark = [requires_bpf, requires("clang")]

FIRST: Rows = {"denied": ["192.0.2.0/24", "198.51.100.0/24"], "hosts": ["203.0.113.1"], "ports": ["53"]}
SECOND: Rows = {"denied": ["192.0.2.0/25", "198.51.100.0/24"], "hosts": ["203.0.113.2", "203.0.113.3"], "ports": ["53"]}
ARRAY = """
#include <wirespeed_config.h>
WS_CONFIG;
struct ports {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u16);
};
WS_TABLE(ports);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 side = ws_side(), port = 53;
	__u16 *said = ws_lookup(ports, side, &port);

	return said && *said ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
PER_CPU = """
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} limits SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&limits, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
OnNode = Callable[[Callable[[str], Any]], Any]


@pytest.fixture
def on_node(veth: Veth, places: Places) -> OnNode:
    """Runs a function of the NIC's name in the node's namespace."""
    return lambda function: veth.node.run(function, veth.ifname)


@pytest.mark.parametrize(
    "strategy, attach",
    [
        ("entry", "root"),
        ("map_swap", "root"),
        ("map_swap", "direct"),
        ("program_swap", "root"),
        ("program_swap", "direct"),
    ],
)
def test_what_is_delivered_is_what_the_kernel_has(on_node: OnNode, strategy: str, attach: str) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided(), attach)
        node.apply(FIRST, "entry")
        assert node.rows == FIRST
        told = node.apply(SECOND, strategy)
        assert (told.changed, told.before, told.version) == (True, 1, 2)
        assert node.rows == SECOND
        assert config_engine.history("small").version == 2
        assert not node.apply(SECOND, strategy).changed
        assert node.converge()["steps"] == []

    on_node(deliver)


def test_a_generation_that_was_made_for_a_document_is_not_taken_for_it_again(on_node: OnNode) -> None:
    """It may have other rows by now."""

    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "program_swap")
        node.apply(SECOND, "entry")
        node.apply(FIRST, "program_swap")
        assert node.rows == FIRST

    on_node(deliver)


def test_rows_are_written_where_no_packet_reads_until_one_word_is(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        before = live_word(node)
        node.apply(SECOND, "map_swap")
        assert live_word(node) == before.flipped()

    on_node(deliver)


@pytest.mark.parametrize(
    "source, rows, chosen",
    [
        (sided, {**FIRST, "hosts": ["203.0.113.1", "203.0.113.9"]}, "entry"),
        (sided, SECOND, "map_swap"),
        (sided, {**SECOND, "ports": []}, "program_swap"),
        (one_sided, {"hosts": ["203.0.113.2"]}, "program_swap"),
    ],
    ids=["one operation", "several", "several in a table with one side", "no table with two"],
)
def test_auto_takes_the_least_that_keeps_packets_from_a_mixture(
    on_node: OnNode, source: Callable[[], PipelineSource], rows: Rows, chosen: str
) -> None:
    def deliver(nic: str) -> str:
        node = Configured(nic, source())
        node.apply({name: FIRST[name] for name in source().tables}, "entry")
        return node.apply(rows).strategy

    assert on_node(deliver) == chosen


def test_a_map_swap_of_a_table_with_one_side_is_refused_with_the_way_out(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        with pytest.raises(Refused, match="it changes ports, declared without WS_TABLE"):
            node.apply(FIRST, "map_swap")
        assert node.rows == {}

    on_node(deliver)


def test_the_second_of_two_deliveries_on_one_version_is_refused(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry", expected_version=0)
        with pytest.raises(Refused, match=r"Version 0 .* was expected, but version 1 is live, delivered by "):
            node.apply(SECOND, "map_swap", expected_version=0)
        assert node.rows == FIRST
        assert node.apply(SECOND, expected_version=1).version == 2

    on_node(deliver)


@pytest.mark.parametrize("spoil", ["another pipeline", "another layout", "a table too few", "more rows than room"])
def test_a_document_that_does_not_fit_changes_nothing(on_node: OnNode, spoil: str) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        before, files = node.raw, sorted(store.folder(node.paths, "small").iterdir())
        for strategy in Strategy:
            with pytest.raises(BadInput):
                config_engine.apply("small", spoilt(node, spoil), strategy)
        assert node.raw == before
        assert sorted(store.folder(node.paths, "small").iterdir()) == files
        assert config_engine.history("small").version == 1

    on_node(deliver)


def spoilt(node: Configured, how: str) -> Compiled:
    good = document(node.source, SECOND)
    if how == "another pipeline":
        return replace(good, pipeline="other")
    if how == "another layout":
        return replace(good, layout="0" * 64)
    if how == "a table too few":
        return replace(good, tables={name: rows for name, rows in good.tables.items() if name != "ports"})
    many = b"".join(number.to_bytes(4, "big") for number in range(1025))
    return replace(good, tables={**good.tables, "hosts": Packed(4, 1, many, bytes([1]) * 1025)})


@pytest.mark.parametrize("strategy", ["entry", "map_swap", "program_swap"])
def test_what_fails_half_way_leaves_all_as_it_was(on_node: OnNode, strategy: str) -> None:
    """The room of a trie that another one fills meanwhile is found out only by the kernel."""

    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        before, update, once = node.raw, bpf_batch.update, [True]

        def full(found: Any, keys: Any, *others: Any) -> None:
            if found.name.startswith("hosts") and keys and once:
                once.clear()
                raise KernelRefusal("bpf_map_update_batch hosts", errno.ENOSPC)
            update(found, keys, *others)

        with mock.patch.object(bpf_batch, "update", full):
            with pytest.raises(ApplyFailed, match="the node is as before") as failed:
                node.apply(SECOND, strategy)
        assert failed.value.clean
        assert node.raw == before
        assert config_engine.history("small").version == 1
        assert node.apply(SECOND, strategy).version == 2

    on_node(deliver)


@pytest.mark.parametrize("attach", ["root", "direct"])
def test_a_delivered_document_outlives_the_code(on_node: OnNode, attach: str) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided(), attach)
        node.apply(FIRST, "entry")
        node.apply(SECOND, "program_swap")
        steps = [step["action"] for step in node.converge(sided(version="2"))["steps"]]
        assert "load" in steps and steps.index("load") < steps.index("deliver") < steps.index("publish")
        assert node.rows == SECOND
        assert config_engine.history("small").version == 2
        assert node.converge()["steps"] == []

    on_node(deliver)


def test_rows_go_over_to_tables_of_another_layout(on_node: OnNode) -> None:
    wider = (SIDED + PLAIN + PROGRAM).replace("__type(value, __u8)", "__type(value, __u32)")

    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        node.apply(SECOND, "map_swap")
        node.converge(small(wider, version="2", maps=MAPS))
        assert node.rows == SECOND
        shown = config_engine.show("small")
        assert (shown.version, dict(shown.drift)) == (2, {})
        assert not node.apply(SECOND).changed
        assert config_engine.rollback("small").version == 3
        assert node.rows == FIRST

    on_node(deliver)


def test_code_whose_tables_cannot_take_the_rows_is_refused(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        with pytest.raises(Refused, match="The configuration that was delivered does not fit the tables of this code"):
            node.converge(one_sided("2"))
        assert node.rows == FIRST

    on_node(deliver)


def test_a_boot_brings_the_last_document_back(namespaces: Factory, places: Places) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "program_swap")
        node.apply(SECOND, "map_swap")

    veth = namespaces.veth()
    veth.node.run(deliver, veth.ifname)
    booted = reboot(namespaces, places)
    code, said = told(booted.node, "restore")
    assert (code, said["failed"]) == (0, [])
    assert booted.node.run(live_rows) == SECOND


def test_code_that_is_rolled_back_keeps_the_configuration(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        node.converge(sided(version="2"))
        node.apply(SECOND)
        pipeline_engine.rolled_back("small", None, bundle_of(), False)
        assert node.rows == SECOND

    on_node(deliver)


@pytest.mark.parametrize("strategy", ["entry", "program_swap"])
def test_a_rollback_brings_the_rows_before_as_a_new_version(on_node: OnNode, strategy: str) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        node.apply(SECOND, "map_swap")
        told = config_engine.rollback("small", strategy=Strategy(strategy))
        assert (told.version, node.rows) == (3, FIRST)
        assert config_engine.history("small").deliveries[-1].rollback_to == 1
        assert config_engine.rollback("small", 2).version == 4
        assert node.rows == SECOND

    on_node(deliver)


def test_a_rollback_to_the_side_that_was_live_only_turns_the_word(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        node.apply(SECOND, "map_swap")
        with mock.patch.object(bpf_batch, "update", side_effect=AssertionError("rows are written")):
            assert config_engine.rollback("small").strategy == "map_swap"
        assert node.rows == FIRST

    on_node(deliver)


def test_a_version_that_is_not_kept_is_no_place_to_go_back_to(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        for number in range(1, 6):
            node.apply({"hosts": [f"203.0.113.{number}"]})
        assert len(config_engine.history("small").kept) == 3
        assert len(list(store.folder(node.paths, "small").glob("*.bundle"))) == 3
        with pytest.raises(WirespeedError, match="are not kept on this node"):
            config_engine.rollback("small", 1)
        with pytest.raises(BadInput, match="has no version 9"):
            config_engine.rollback("small", 9)

    on_node(deliver)


def test_a_pipeline_that_does_not_run_is_told_with_those_that_do(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        with pytest.raises(BadInput, match="no pipeline 'other' runs on this node"):
            config_engine.apply("other", document(node.source, FIRST))
        with pytest.raises(BadInput, match="'nowhere' is no table of small"):
            config_engine.show("small", ["nowhere"])

    on_node(deliver)


def test_tables_that_the_intent_fills_are_its_own(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided(), tables={"hosts": ["203.0.113.7"]})
        with pytest.raises(Refused, match="are filled by the intent of this node"):
            node.apply(FIRST)
        assert node.rows == {"hosts": ["203.0.113.7"]}

    on_node(deliver)


def test_an_intent_with_rows_takes_the_tables_over(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        node.apply(FIRST, "entry")
        node.apply(SECOND, "map_swap")
        node.converge(tables={"hosts": ["203.0.113.7"]})
        assert node.rows == {"hosts": ["203.0.113.7"]}

    on_node(deliver)


def test_long_work_tells_how_far_it_is(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        told: List[Any] = []
        node.apply(FIRST, "entry", progress=lambda *said: told.append(said))
        node.apply(SECOND, "program_swap", progress=lambda *said: told.append(said))
        assert all(done <= of for done, of, dummy in told)
        assert told.count((2, 2, "writing denied")) == 4 and ("writing hosts" in [what for *dummy, what in told])

    on_node(deliver)


def test_rows_in_each_type_of_map_read_back_as_they_were_delivered(on_node: OnNode) -> None:
    rows = {name: list(said) for name, (dummy, said) in test_tables.ROWS.items()}
    others = {name: said[1:] for name, said in rows.items()}

    def deliver(nic: str) -> None:
        node = Configured(nic, test_tables.source())
        for wanted in (rows, others, rows):
            node.apply(wanted, "entry")
            assert node.rows == wanted
        node.apply(others, "program_swap")
        assert node.rows == others

    on_node(deliver)


def test_a_value_that_cpus_see_differently_is_drift(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        source = small(PER_CPU, maps={"limits": {"role": "config", "table": "records"}})
        node = Configured(nic, source)
        rows = {"limits": [{"key": 1, "value": 7}, {"key": 2, "value": 8}]}
        node.apply(rows, "entry")
        with instance.open_table(node.paths, "small", source.generation, "limits") as found:
            value = found.lookup(b"\2\0\0\0") or b""
            found.update(b"\2\0\0\0", value[:-8] + bytes(8))
        told = node.apply(rows)
        assert told.tables == {"limits": {"added": 0, "changed": 1, "removed": 0}}
        assert not node.apply(rows).changed

    on_node(deliver)


def test_check_mode_tells_the_same_and_does_nothing(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        told = node.apply(FIRST, check=True)
        assert node.rows == {} and config_engine.history("small").version == 0
        done = node.apply(FIRST)
        assert (told.version, told.strategy, told.tables) == (done.version, done.strategy, done.tables)

    on_node(deliver)


def test_both_sides_have_the_size_of_the_manifest(on_node: OnNode) -> None:
    maps = {name: {**spec, "max_entries": 4096} for name, spec in MAPS.items()}

    def deliver(nic: str) -> None:
        node = Configured(nic, sided(maps=maps))
        hosts = [f"10.0.{number >> 8}.{number & 255}" for number in range(3000)]
        for rows in ({"hosts": hosts}, {"hosts": hosts[1:]}):
            node.apply(rows, "map_swap")
            assert node.rows == rows

    on_node(deliver)


def test_both_sides_of_an_array_have_the_size_of_the_manifest(on_node: OnNode) -> None:
    maps = {"ports": {"role": "config", "table": "port_set", "max_entries": 65536}}

    def deliver(nic: str) -> None:
        node = Configured(nic, small(ARRAY, maps=maps))
        for rows in ({"ports": ["53", "65535"]}, {"ports": ["443"]}):
            node.apply(rows, "map_swap")
            assert node.rows == rows

    on_node(deliver)


def test_test_packets_meet_the_rows_of_a_table_with_two_sides(places: Places) -> None:
    packet = {"ipv4": {"source": "192.0.2.9"}, "udp": {"destination": 53}}
    tests: List[Dict[str, Any]] = [
        {"name": "denied", "packet": packet, "tables": {"denied": ["192.0.2.0/24"]}, "action": "drop"},
        {"name": "not denied", "packet": packet, "action": "pass"},
    ]
    assert fixtures.run(sided(tests=tests)) == ()


def live_word(node: Configured) -> sides.Word:
    generation = instance.published(node.paths, "small")
    assert generation is not None
    return instance.word(node.paths, "small", generation)
