# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that bpftool adds, changes and removes are each reported, and put back by as many operations."""

from __future__ import annotations

import struct
from typing import Any, Callable, Dict, List
from unittest import mock

import pytest

from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.config.compiled import Compiled
from wirespeed.config.difference import counted
from wirespeed.config.strategy import Strategy
from wirespeed.kernel import bpf_batch
from wirespeed.pipeline import instance

from .config_cases import Configured
from .conftest import Places
from .netns import Veth, command
from .test_config_consistency import document, source

pytestmark = [requires_bpf, requires("clang", "bpftool")]

ROUTE, POLICY = ["32", "0", "0", "0", "10", "0", "0"], ["0", "0", "0"]  # behind and before the number of a row
OTHER = [str(byte) for byte in struct.pack("<II", 1, 4711)]


class Meddler:
    """Somebody with bpftool, on the live side of the tables."""

    def __init__(self, node: Configured) -> None:
        self._node = node

    def add(self, number: int) -> None:
        self._map("routes", "update", *ROUTE[:4], "10", "9", "9", str(number), value=True)

    def change(self, number: int) -> None:
        self._map("policies", "update", str(number), *POLICY, value=True)

    def remove(self, number: int) -> None:
        self._map("policies", "delete", str(number), *POLICY)

    def _map(self, name: str, what: str, *key: str, value: bool = False) -> None:
        generation = instance.published(self._node.paths, "small")
        assert generation is not None
        with instance.open_table(self._node.paths, "small", generation, name) as found:
            number = str(found.info.id)
        command("bpftool", "map", what, "id", number, "key", *key, *(["value", *OTHER] if value else []))


MEDDLING: Dict[str, Any] = {
    "added": (lambda one: one.add(7), {"routes": {"added": 0, "changed": 0, "removed": 1}}),
    "changed": (lambda one: one.change(7), {"policies": {"added": 0, "changed": 1, "removed": 0}}),
    "removed": (lambda one: one.remove(7), {"policies": {"added": 1, "changed": 0, "removed": 0}}),
    "all of it": (
        lambda one: [one.add(1), one.add(2), one.add(3), one.change(4), one.change(5), one.remove(6)],
        {
            "routes": {"added": 0, "changed": 0, "removed": 3},
            "policies": {"added": 1, "changed": 2, "removed": 0},
        },
    ),
}
OnNode = Callable[[Callable[[Configured, Compiled, Meddler], None]], None]


@pytest.fixture
def on_node(veth: Veth, places: Places) -> OnNode:
    """Runs a function where version 1 is live, delivered by a map swap over an earlier one."""

    def run(function: Callable[[Configured, Compiled, Meddler], None]) -> None:
        def inside() -> None:
            made = source()
            node = Configured(veth.ifname, made)
            config_engine.apply("small", document(made, 0), Strategy.ENTRY)
            config_engine.apply("small", document(made, 1), Strategy.MAP_SWAP)
            function(node, document(made, 1), Meddler(node))

        veth.node.run(inside)

    return run


@pytest.mark.parametrize("what", MEDDLING)
def test_each_row_is_reported(on_node: OnNode, what: str) -> None:
    meddle, expected = MEDDLING[what]

    def look(node: Configured, delivered: Compiled, meddler: Meddler) -> None:
        meddle(meddler)
        assert counted(config_engine.diff("small", delivered)) == expected
        assert counted(config_engine.show("small").drift) == expected

    on_node(look)


@pytest.mark.parametrize("what", MEDDLING)
def test_each_row_is_put_back_by_one_operation(on_node: OnNode, what: str) -> None:
    meddle, expected = MEDDLING[what]
    operations = sum(sum(each.values()) for each in expected.values())

    def repair(node: Configured, delivered: Compiled, meddler: Meddler) -> None:
        before = node.raw
        meddle(meddler)
        with counting() as written:
            told = config_engine.apply("small", delivered, Strategy.ENTRY)
        assert (told.changed, told.operations, sum(written)) == (True, operations, operations)
        assert node.raw == before
        assert not config_engine.apply("small", delivered).changed

    on_node(repair)


def test_a_packet_never_meets_what_was_changed_on_the_idle_side(on_node: OnNode) -> None:
    """It is compared with what is wanted before it is filled, whatever it should hold."""

    def repair(node: Configured, delivered: Compiled, meddler: Meddler) -> None:
        meddler.change(7)
        meddler.add(9)
        config_engine.apply("small", document(node.source, 2), Strategy.MAP_SWAP)
        config_engine.apply("small", delivered, Strategy.MAP_SWAP)
        assert counted(config_engine.diff("small", delivered)) == {}

    on_node(repair)


class counting:
    """The rows that the kernel's batch calls are given while it lasts."""

    def __init__(self) -> None:
        self.rows: List[int] = []
        self._patches = [mock.patch.object(bpf_batch, name, self._noted(name)) for name in ("update", "delete")]

    def _noted(self, name: str) -> Callable[..., None]:
        original = getattr(bpf_batch, name)

        def call(found: Any, keys: Any, *others: Any) -> None:
            self.rows.append(len(keys) // found.info.key_size)
            original(found, keys, *others)

        return call

    def __enter__(self) -> List[int]:
        for patch in self._patches:
            patch.start()
        return self.rows

    def __exit__(self, *dummy: object) -> None:
        for patch in self._patches:
            patch.stop()
