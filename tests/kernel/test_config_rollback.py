# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that were delivered before come back, as a new version."""

from __future__ import annotations

from unittest import mock

import pytest

from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.config import store
from wirespeed.config.strategy import Strategy
from wirespeed.errors import BadInput, WirespeedError
from wirespeed.kernel import bpf_batch

from .config_cases import (
    FIRST,
    SECOND,
    Configured,
    sided,
)
from .conftest import OnNode

pytestmark = [requires_bpf, requires("clang")]


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


def test_where_no_document_was_delivered_there_is_none_to_go_back_to(on_node: OnNode) -> None:
    def look(nic: str) -> None:
        Configured(nic, sided())
        done = config_engine.rollback("small")
        assert (done.changed, done.version) == (False, 0)
        assert done.warnings == ["No document was delivered to small yet, so there is none to go back to."]

    on_node(look)
