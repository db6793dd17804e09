# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says beforehand of the state that runs: what would be lost of it, and why it cannot be taken over."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from tests.pipelines import FLOWS, bundle_of, small
from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import Refused
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths

from .conftest import Places
from .netns import Veth

pytestmark = [requires("bpf", "clang")]

BEFORE, AFTER = "__u32 seen; __u32 lost;", "__u32 lost; __u32 seen;"


def converge(veth: Veth, members: str, check: bool, **flows: Any) -> Dict[str, Any]:
    source = small(FLOWS % members, maps={"flows": {"role": "state", **flows}})
    intent = {"nics": [{"name": "ws0", "pipeline": "small"}], "pipelines": [{"name": "small"}]}
    return dict(veth.node.run(engine.converge, intent, bundle_of(source), check))


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_state_that_cannot_be_taken_over_is_refused_before_anything_changes(
    veth: Veth, places: Places, check: bool
) -> None:
    converge(veth, BEFORE, False)
    live = instance.published(Paths.from_environment(), "small")
    with pytest.raises(
        Refused, match=r"Nothing was changed.*small: state: .*lost u32 at byte 0 was lost u32 at byte 4"
    ):
        converge(veth, AFTER, check)
    assert instance.published(Paths.from_environment(), "small") == live
    assert Paths.from_environment().generations("small") == (live,)


def test_what_would_be_lost_is_a_warning_of_the_plan(veth: Veth, places: Places) -> None:
    converge(veth, BEFORE, False)
    for check in (True, False):
        warnings = " ".join(converge(veth, AFTER, check, on_layout_change="reset")["warnings"])
        assert "small: Map flows begins empty" in warnings
