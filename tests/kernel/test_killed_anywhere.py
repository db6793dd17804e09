# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every point of a run's journal, on a veth pair: the program stays, and the next run comes to the same end.

There and back between two states that differ in code, rows and settings: odd points on the way there, even ones on the
way back, which has the same steps with before and after exchanged.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Dict, Iterator, List

from tests.lab.engine_agent import arm, bundle
from tests.probes import requires
from wirespeed import engine

from .conftest import Places
from .netns import Veth
from .worker import WorkerFailed

pytestmark = [requires("bpf")]

HERE: Dict[str, Any] = {
    "rows": ["192.0.2.0/24"],
    "tuning": {
        "features": {"tx-tcp-segmentation": True, "rx-gro": True},
        "mtu": {"mtu": 1500},
        "txqueuelen": {"txqueuelen": 1000},
    },
}
THERE: Dict[str, Any] = {
    "rows": ["192.0.2.0/24", "203.0.113.0/24"],
    "tuning": {
        "features": {"tx-tcp-segmentation": False, "rx-gro": False},
        "mtu": {"mtu": 1400},
        "txqueuelen": {"txqueuelen": 2000},
    },
}
VERSIONS = (f"1.{number}.0" for number in itertools.count())


def request(wanted: Dict[str, Any], version: str) -> Dict[str, Any]:
    tables = {"deny_v4": wanted["rows"], "deny_v6": ["2001:db8:bad::/48"]}
    return {
        "version": version,
        "intent": {
            "nics": [{"name": "ws0", "pipeline": "scrubber", "tuning": wanted["tuning"]}],
            "pipelines": [{"name": "scrubber", "tables": tables}],
        },
    }


def converge(asked: Dict[str, Any], point: int, told: Path) -> Dict[str, Any]:
    with open(told, "w", encoding="utf-8") as out:
        arm(point, out)
        return dict(engine.converge(asked["intent"], bundle(asked), False))


def held(veth: Veth) -> Any:
    return veth.node.links()["ws0"].get("xdp", {}).get("prog", {}).get("id")


def tour(veth: Veth, told: Path) -> Iterator[List[str]]:
    """Each point's killed step and what the next run undid, until a run has no such point."""
    for point, wanted in zip(itertools.count(1), itertools.cycle((THERE, HERE))):
        asked = request(wanted, next(VERSIONS))
        try:
            veth.node.run(converge, asked, point, told)
        except WorkerFailed:
            assert held(veth), f"point {point}: no program is on the NIC ({told.read_text()})"
            words = told.read_text(encoding="utf-8")
            after = veth.node.run(converge, asked, 0, told)
            assert len(after["recovered"]) == (0 if "after the journal" in words else point // 2), words
            assert held(veth), words
            assert veth.node.run(converge, asked, 0, told)["steps"] == [], words
            yield [words, *after["recovered"]]
        else:
            return


def test_at_each_point_the_program_stays_and_the_next_run_converges(
    veth: Veth, places: Places, tmp_path: Path, record_property: Any
) -> None:
    told = tmp_path / "told"
    veth.node.run(converge, request(HERE, next(VERSIONS)), 0, told)
    program = held(veth)
    points = list(tour(veth, told))
    record_property("told", f"kill -9 on veth: {len(points)} points")
    assert held(veth) == program, "the root was attached again although no step said so"
    assert len(points) >= 2 * 7 + 2
