# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis costs: CPU time of the command, time of a packet, packets a second of a flooded receiver."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Callable, Dict, Iterator, List

from tests.pipelines import scrubber
from wirespeed.diagnose_engine import diagnose
from wirespeed.gather import BUILT_IN_PROFILES, built_in_probes
from wirespeed.kernel import rtnetlink
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.profiles.load import load

from .cabled import cabled, traffic
from .packet import FRAME
from .series import Series, in_turn, times

NIC = "ws0"
ROUNDS, RUNS, PACKETS, COMMANDS = 9, 3, 300_000, 5
SHORT_S, LONG_S, WINDOW_S = 0.2, 5.2, 1.0
FLOOD = 10_000_000
OFF, ON = "off", "on"
FACTS, SHORT, LONG = "'wirespeed facts'", "a short diagnosis", "a long one"


def report() -> Iterator[str]:
    with cabled(NIC) as made:
        commands = made.node.run(_commands, timeout=600.0)
        packet = made.node.run(_packet, timeout=600.0)
        with traffic(made, FLOOD):
            received = made.node.run(_received, timeout=600.0)
    yield (
        f"diagnose, CPU time of the command: {commands[SHORT].median:.2f} s that watches for {SHORT_S} s,"
        f" {commands[LONG].median:.2f} s for {LONG_S} s: {commands[SHORT].beside(commands[FACTS])},"
        f" {commands[LONG].beside(commands[FACTS])}"
    )
    more = packet[ON].median - packet[OFF].median
    yield (
        f"diagnose, a packet through the scrubber: {packet[OFF].median:.1f} ns, meanwhile {more:+.1f},"
        f" {times(packet[ON].ratio(packet[OFF]), 2)}"
    )
    thousands = [received[name].median / 1e3 for name in (OFF, ON)]
    yield (
        f"diagnose, packets that a flooded receiver takes: {thousands[0]:.0f} thousand a second, meanwhile"
        f" {thousands[1]:.0f}, {times(received[ON].ratio(received[OFF]), 2)}"
    )


def _commands() -> Dict[str, Series]:
    ways: Dict[str, Callable[[], float]] = {
        FACTS: lambda: _cpu_time("facts", NIC),
        SHORT: lambda: _cpu_time("diagnose", NIC, "--for", str(SHORT_S)),
        LONG: lambda: _cpu_time("diagnose", NIC, "--for", str(LONG_S)),
    }
    return in_turn(ways, COMMANDS)


def _cpu_time(*words: str) -> float:
    """Seconds of a command's own CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "wirespeed.cli", *words],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _packet() -> Dict[str, Series]:
    paths, source = Paths.from_environment(), scrubber()
    with ExitStack() as stack:
        instance.load(paths, source)
        pin = paths.program(source.manifest.name, source.generation, source.manifest.entry)
        program = stack.enter_context(BpfProgram.pinned(str(pin)))

        def least() -> float:
            return min(_nanoseconds(program) for dummy in range(RUNS))

        return in_turn({OFF: least, ON: lambda: _diagnosing(least)}, ROUNDS)


def _nanoseconds(program: BpfProgram) -> float:
    started = time.thread_time_ns()
    program.test_run(FRAME, PACKETS)
    return (time.thread_time_ns() - started) / PACKETS


def _received() -> Dict[str, Series]:
    ifindex = rtnetlink.link_named(NIC).ifindex

    def rate() -> float:
        started, before = time.perf_counter(), rtnetlink.link_stats(ifindex)["rx_packets"]
        time.sleep(WINDOW_S)
        return (rtnetlink.link_stats(ifindex)["rx_packets"] - before) / (time.perf_counter() - started)

    return in_turn({OFF: rate, ON: lambda: _diagnosing(rate)}, ROUNDS)


def _diagnosing(measure: Callable[[], float]) -> float:
    """The figure while a diagnosis runs."""
    found: List[float] = []
    diagnose(NIC, load([BUILT_IN_PROFILES]), built_in_probes(), lambda: found.append(measure()))
    return found[0]
