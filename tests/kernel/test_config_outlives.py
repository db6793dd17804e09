# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivered document, when the code, the node or an intent changes under it."""

from __future__ import annotations

import pytest

from tests.pipelines import bundle_of, small
from tests.probes import requires, requires_bpf
from wirespeed import config_engine, pipeline_engine
from wirespeed.errors import Refused

from .config_cases import (
    FIRST,
    MAPS,
    PLAIN,
    PROGRAM,
    SECOND,
    SIDED,
    Configured,
    live_rows,
    one_sided,
    sided,
)
from .conftest import OnNode, Places
from .netns import Factory
from .test_restore import reboot, told

pytestmark = [requires_bpf, requires("clang")]


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
