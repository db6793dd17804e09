# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents delivered to a pipeline: by each strategy, whole or not at all."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, Callable, List
from unittest import mock

import pytest

from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.apply.executor import ApplyFailed
from wirespeed.config import sides, store
from wirespeed.config.compiled import Compiled
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import Strategy
from wirespeed.errors import BadInput, KernelRefusal, Refused
from wirespeed.kernel import bpf_batch
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .config_cases import (
    FIRST,
    SECOND,
    Configured,
    Rows,
    document,
    one_sided,
    sided,
)
from .conftest import OnNode

pytestmark = [requires_bpf, requires("clang")]


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


def test_a_pipeline_that_does_not_run_is_told_with_those_that_do(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        with pytest.raises(BadInput, match="no pipeline 'other' runs on this node"):
            config_engine.apply("other", document(node.source, FIRST))
        with pytest.raises(BadInput, match="'nowhere' is no table of small"):
            config_engine.show("small", ["nowhere"])

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


def test_check_mode_tells_the_same_and_does_nothing(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided())
        told = node.apply(FIRST, check=True)
        assert node.rows == {} and config_engine.history("small").version == 0
        done = node.apply(FIRST)
        assert (told.version, told.strategy, told.tables) == (done.version, done.strategy, done.tables)

    on_node(deliver)


def live_word(node: Configured) -> sides.Word:
    generation = instance.published(node.paths, "small")
    assert generation is not None
    return instance.word(node.paths, "small", generation)
