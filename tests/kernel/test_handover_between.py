# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets between the publish and the end of a hand-over: in the new program, and a last one in the old."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.kernel import grace
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import succession
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import (
    HASH,
    MEMBERS,
    PROGRAM,
    SDK,
    Flow,
    fill,
    flows,
    frame,
    load,
    publish,
    read,
    reload,
    run_frame,
)
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

OTHER = "__u64 first_seen; __u32 mark; __u64 bytes; __u64 packets;"
FRAME = 60


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> "Callable[[Callable[[], None]], None]":
    """What is given to it happens after the slot was written, while the old program may still run."""

    def arrange(packets: Callable[[], None]) -> None:
        def wait() -> None:
            packets()
            grace.wait_for_programs()

        monkeypatch.setattr(succession, "wait_for_programs", wait)

    return arrange


def in_program_of(source: PipelineSource, address: int) -> None:
    with BpfProgram.pinned(str(Node().paths.program("small", source.generation, "small"))) as program:
        program.test_run(frame(address))


def test_a_straggler_in_the_old_program_is_counted(
    places: Places, between: "Callable[[Callable[[], None]], None]"
) -> None:
    old, new = flows(), flows(OTHER)
    reload(old)
    fill(old, {7: Flow(70, 700, 5)})
    load(new)

    def packets() -> None:
        run_frame(7)
        for address in (7, 8):
            in_program_of(old, address)

    between(packets)
    publish(new)
    assert read(new) == {7: Flow(72, 700 + 2 * FRAME, 5), 8: Flow(1, FRAME, 1)}


def test_the_first_packet_finds_its_entry(places: Places, between: "Callable[[Callable[[], None]], None]") -> None:
    old, new = flows(), flows(OTHER)
    found: "list[Flow]" = []
    reload(old)
    fill(old, {7: Flow(70, 700, 5)})
    load(new)
    between(lambda: (run_frame(7), found.append(read(new)[7]))[1])
    publish(new)
    assert found == [Flow(71, 700 + FRAME, 5)]


def deleting(members: str) -> PipelineSource:
    """Deletes the entries of odd addresses."""
    said = {"type": HASH, "entries": 16}
    get = "key & 1 ? (flows_delete(&key), (struct flow *)0) : flows_lookup_or_init(&key, &fresh)"
    code = PROGRAM % {"members": members, "map": SDK % said, "get": get}
    return small(code, maps={"flows": {"role": "state", "sums": ["packets"]}})


def test_a_deleted_entry_does_not_come_back(places: Places, between: "Callable[[Callable[[], None]], None]") -> None:
    old, new = deleting(MEMBERS), deleting(OTHER)
    reload(old)
    fill(old, {7: Flow(70, 700, 5), 9: Flow(90, 900, 6)})
    load(new)
    between(lambda: run_frame(7))
    publish(new)
    assert read(new) == {9: Flow(90, 900, 6)}
