# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace leaves the pipeline as it was: at its end, by a signal, through a reload, and after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from tests.pipelines import REPOSITORY, bundle_of, next_scrubber, renamed, scrubber, small
from tests.probes import requires, requires_bpf
from wirespeed import engine, pipeline_engine, trace_engine
from wirespeed.config.tables import canonical
from wirespeed.errors import Busy, Place
from wirespeed.kernel import bpffs
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance, root, traced
from wirespeed.pipeline.pins import STAGING, Paths

from .conftest import Places
from .killing import killed_in
from .netns import Factory, Veth
from .pipelines_here import Node, configure_step, load_step, publish_step
from .scrubber_attached import NAME, attach, attached_scrubber, built, counts, passed_through, quiet_veth
from .traced_here import left, shown, traced_frames
from .traced_here import traced as trace

pytestmark = [requires_bpf, requires("clang", "ethtool", "tshark", "libpcap")]

DOCUMENT = {"deny_v4": ["192.0.2.0/24"]}
DENIED = built({"ipv4": {"source": "192.0.2.1"}, "udp": {"destination": 53}})
COMMENT = "mitigation: deny_prefix_v4, verdict: [DROP]"
ENGINE = REPOSITORY / "plugins/module_utils"
FIRST = b"\0\0\0\0"


@pytest.fixture
def veth(namespaces: Factory, places: Places) -> Veth:
    """A quiet one that carries the scrubber."""
    made = quiet_veth(namespaces)
    made.node.run(attach, made, DOCUMENT)
    return made


def in_slot() -> int:
    return root.published(Paths.from_environment(), NAME) or 0


def test_the_same_program_runs_after_a_trace_as_before_it(veth: Veth, tmp_path: Path) -> None:
    before = in_slot()
    veth.node.run(traced_frames, veth, tmp_path / "trace.pcapng", DENIED)
    assert in_slot() == before


def test_state_and_counters_are_those_of_the_pipeline(veth: Veth, tmp_path: Path) -> None:
    def on_node() -> Dict[str, int]:
        passed_through(veth, DENIED * 3)
        traced_frames(veth, tmp_path / "trace.pcapng", DENIED * 4)
        return passed_through(veth, DENIED * 5)

    assert veth.node.run(on_node) == {"deny_prefix_v4": 12}


def reload() -> None:
    """Another version of the same code, with the same rows."""
    source, paths = next_scrubber().with_constants({"with_outbound": True}), Paths.from_environment()
    node, rows = Node(source), canonical(source.tables, DOCUMENT, Place("test"))["deny_v4"]
    node.do(load_step(source), configure_step(source, "deny_v4", rows))
    node.do(publish_step(NAME, instance.published(paths, NAME), source.generation))


def test_it_goes_on_with_the_generation_that_a_reload_publishes(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"

    def on_node() -> Tuple[Dict[str, Any], int]:
        def script() -> Iterator[None]:
            passed_through(veth, DENIED * 3)
            yield
            reload()
            while not traced.in_slot(Paths.from_environment(), NAME):
                yield
            passed_through(veth, DENIED * 4)
            yield

        result = trace(veth, file, script)
        return result, counts()["deny_prefix_v4"]

    result, counted = veth.node.run(on_node)
    assert [comment for (comment,) in shown(file, "frame.comment")] == [COMMENT] * 7
    assert [f"followed {attached_scrubber().generation}" in note for note in result["warnings"]][-1]
    assert counted == 7
    assert veth.node.run(left, NAME) == []


def test_a_run_finds_nothing_to_do_while_a_trace_runs(veth: Veth, tmp_path: Path) -> None:
    source = attached_scrubber()
    nic = {"name": veth.ifname, "pipeline": NAME, "profile_tuning": False}
    asked = {"name": NAME, "tables": DOCUMENT, "constants": {"with_outbound": True}}
    steps: List[Any] = []

    def script() -> Iterator[None]:
        intent = {"nics": [nic], "pipelines": [asked]}
        steps.append(engine.converge(intent, bundle_of(source), True)["steps"])
        yield

    def on_node() -> List[Any]:
        trace(veth, tmp_path / "trace.pcapng", script)
        return steps

    assert veth.node.run(on_node) == [[]]


def test_a_generation_without_notes_is_told(veth: Veth, tmp_path: Path) -> None:
    other = small(
        'SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; } char _license[] SEC("license") = "GPL";'
    )
    other = renamed(other, NAME)

    def on_node() -> Dict[str, Any]:
        def script() -> Iterator[None]:
            Node(other).do(load_step(other), publish_step(NAME, attached_scrubber().generation, other.generation))
            for dummy in range(50):
                yield

        return trace(veth, tmp_path / "trace.pcapng", script)

    (told,) = veth.node.run(on_node)["warnings"]
    assert f"Generation {other.generation} followed {attached_scrubber().generation} and leaves no notes" in told


def test_it_ends_when_the_pipeline_is_detached(veth: Veth, tmp_path: Path) -> None:
    def script() -> Iterator[None]:
        passed_through(veth, DENIED)
        yield
        pipeline_engine.detached(NAME, [], False)
        while True:
            yield

    result = veth.node.run(trace, veth, tmp_path / "trace.pcapng", script)
    assert result["ended"] == "what was traced is not on the NIC any more"
    assert result["packets"]["written"] == 1


def test_two_traces_of_one_pipeline_do_not_meet(veth: Veth, tmp_path: Path) -> None:
    def script() -> Iterator[None]:
        with pytest.raises(Busy, match="is being traced already"):
            traced_frames(veth, tmp_path / "second.pcapng", ())
        yield

    veth.node.run(trace, veth, tmp_path / "first.pcapng", script)


def test_a_run_leaves_a_trace_that_lives_alone(veth: Veth, tmp_path: Path) -> None:
    def script() -> Iterator[None]:
        pipeline_engine.collected(2, False)
        assert traced.in_slot(Paths.from_environment(), NAME)
        yield

    veth.node.run(trace, veth, tmp_path / "trace.pcapng", script)


def killed(veth: Veth, file: Path) -> None:
    """A trace that dies while it runs; within the node's namespace."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:

        def script() -> Iterator[None]:
            os.write(writer, b"!")
            while True:
                yield

        trace(veth, file, script)
    os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_killed_trace_changes_no_verdict(veth: Veth, tmp_path: Path) -> None:
    def on_node() -> Dict[str, int]:
        killed(veth, tmp_path / "trace.pcapng")
        assert traced.in_slot(Paths.from_environment(), NAME)
        return passed_through(veth, [*DENIED * 5, *built({"udp": {}, "ipv4": {"source": "198.51.100.9"}}, 2)])

    assert veth.node.run(on_node) == {"deny_prefix_v4": 5, "pass": 2}


def test_with_a_killed_trace_its_tracer_is_out_of_the_way(veth: Veth, tmp_path: Path) -> None:
    veth.node.run(killed, veth, tmp_path / "trace.pcapng")
    with BpfProgram.by_id(in_slot()) as program:
        maps = [BpfMap.by_id(number) for number in program.info.map_ids]
        tracers = [found.lookup(FIRST) for found in maps if found.info.name == traced.TRACER]
        for found in maps:
            found.close()
    assert tracers == [None]


@pytest.mark.parametrize(
    "run",
    [lambda dummy: pipeline_engine.collected(2, False), trace_engine.stop],
    ids=["pipeline gc", "trace --stop"],
)
def test_the_next_run_takes_back_what_a_killed_trace_left(
    veth: Veth, tmp_path: Path, run: Callable[[str], Dict[str, Any]]
) -> None:
    before = in_slot()

    def on_node() -> List[str]:
        killed(veth, tmp_path / "trace.pcapng")
        run(veth.ifname)
        return left(NAME)

    assert veth.node.run(on_node) == []
    assert in_slot() == before


def tracing_to_pipe(veth: Veth) -> List[str]:
    """The command that does so inside the node."""
    ours = ["env", f"PYTHONPATH={ENGINE}", sys.executable, "-m", "wirespeed.cli"]
    return veth.node.inside(*ours, "trace", veth.ifname, "-w", "-", "--for", "60s", "--by", "build")


@pytest.mark.parametrize(
    ("place", "name"),
    [(os, "rename"), (traced, "_publish"), (bpffs, "remove_tree")],
    ids=["before it is there", "before it runs", "before anything"],
)
def test_a_swap_that_is_killed_half_way_is_taken_back(veth: Veth, tmp_path: Path, place: Any, name: str) -> None:
    before = in_slot()

    def on_node() -> List[str]:
        killed_in(lambda: traced_frames(veth, tmp_path / "trace.pcapng", ()), place, name, 1)
        pipeline_engine.collected(2, False)
        home = Paths.from_environment().pipeline(NAME)
        return [*left(NAME), *(str(half_made) for half_made in home.glob(f"*{STAGING}"))]

    assert veth.node.run(on_node) == []
    assert in_slot() == before


def test_a_reader_sees_packets_while_the_trace_runs(veth: Veth) -> None:
    command = tracing_to_pipe(veth)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tracing:
        reading = ["tshark", "-n", "-l", "-i", "-", "-T", "fields", "-e", "frame.comment"]
        with subprocess.Popen(
            reading, stdin=tracing.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as reader:
            while not traced.in_slot(Paths.from_environment(), NAME):
                assert tracing.poll() is None
            veth.node.run(passed_through, veth, DENIED)
            assert reader.stdout is not None
            assert reader.stdout.readline().decode().strip() == COMMENT
            tracing.terminate()
            assert tracing.wait() == 0
    assert veth.node.run(left, NAME) == []


def test_the_end_of_the_reader_ends_the_trace(veth: Veth) -> None:
    command = tracing_to_pipe(veth)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tracing:
        while not traced.in_slot(Paths.from_environment(), NAME):
            assert tracing.poll() is None
        assert tracing.stdout is not None
        tracing.stdout.close()
        veth.node.run(passed_through, veth, DENIED)
        assert tracing.wait() == 0
        assert tracing.stderr is not None
        assert b"the reader of the pipe had gone" in tracing.stderr.read()
    assert veth.node.run(left, NAME) == []


def test_the_notes_are_of_the_same_generation(veth: Veth) -> None:
    assert scrubber().tracing().generation == scrubber().generation
