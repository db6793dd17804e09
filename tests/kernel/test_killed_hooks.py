# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every point of a run that exchanges what a NIC carries: it is never bare, and the next run converges."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Dict, Mapping

import pytest

from tests.lab.engine_agent import arm
from tests.pipelines import bundle_of, compiled, small
from tests.probes import requires
from wirespeed import engine
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .netns import Veth
from .worker import WorkerFailed

pytestmark = [requires("bpf", "clang")]

PASSES = """
SEC("%s") int small(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""
VERSIONS = (str(number) for number in itertools.count(1))


def version(section: str = "xdp") -> PipelineSource:
    return small(PASSES % section, version=next(VERSIONS))


def converge(source: PipelineSource, asked: Mapping[str, Any], point: int, told: Path) -> Dict[str, Any]:
    nic = {"name": "ws0", "pipeline": "small", "foreign": "adopt"}
    with open(told, "w", encoding="utf-8") as out:
        arm(point, out)
        intent = {"nics": [nic], "pipelines": [{"name": "small", **asked}]}
        return dict(engine.converge(intent, bundle_of(source), False))


def carries(veth: Veth) -> bool:
    return "xdp" in veth.node.links()["ws0"]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"section": "xdp"}, {"section": "xdp.frags"}),
        ({"attach": "root"}, {"attach": "direct"}),
        ({"attach": "direct"}, {"attach": "direct"}),
    ],
    ids=["frags", "direct", "swap"],
)
def test_another_root_or_entry(
    veth: Veth, places: Places, tmp_path: Path, here: Dict[str, str], there: Dict[str, str]
) -> None:
    told = tmp_path / "told"

    def run(asked: Dict[str, str], point: int) -> Any:
        source = version(asked.get("section", "xdp"))
        words = {key: value for key, value in asked.items() if key == "attach"}
        return veth.node.run(converge, source, words, point, told)

    run(here, 0)
    for point, asked in zip(itertools.count(1), itertools.cycle((there, here))):
        try:
            run(asked, point)
        except WorkerFailed:
            words = told.read_text(encoding="utf-8")
            assert carries(veth), f"{words}: the NIC is bare"
            run(asked, 0)
            assert carries(veth), words
            left = [path for path in places.bpffs.glob("wirespeed/**/*") if "~" in path.name]
            assert not left, f"{words}: {left}"
        else:
            break
    assert point > 8


def test_a_program_that_is_adopted(veth: Veth, places: Places, tmp_path: Path) -> None:
    told, built = tmp_path / "told", tmp_path / "other.bpf.o"
    built.write_bytes(compiled(PASSES % "xdp"))

    def foreign() -> None:
        veth.node.ip("link", "set", "ws0", "xdpdrv", "object", str(built), "section", "xdp")

    for point in itertools.count(1):
        foreign()
        try:
            veth.node.run(converge, version(), {}, point, told)
        except WorkerFailed:
            words = told.read_text(encoding="utf-8")
            assert carries(veth), f"{words}: the NIC is bare"
            veth.node.run(converge, version(), {}, 0, told)
            assert carries(veth), words
            veth.node.run(_take_off)
        else:
            break
    assert point > 8


def _take_off() -> None:
    from wirespeed import pipeline_engine

    pipeline_engine.detached("small", [], False)
