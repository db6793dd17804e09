# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of a configuration: counted up, cut back by an undo, kept so far, read back as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wirespeed.config import store
from wirespeed.config.history import DOCUMENTS, KEPT, Delivery, History
from wirespeed.errors import WirespeedError
from wirespeed.pipeline.pins import Paths


def delivery(version: int, digest: str = "") -> Delivery:
    return Delivery(version, digest or f"digest{version}", "entry", 3, 10, 1700000000.0, "operator", "it was asked for")


def delivered(*digests: str) -> History:
    found = History()
    for version, digest in enumerate(digests, 1):
        found = found.after(delivery(version, digest))
    return found


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "bpffs", tmp_path / "run", tmp_path / "state")


def test_before_the_first_delivery_the_version_is_0() -> None:
    assert (History().version, History().digest, History().last) == (0, "", None)


def test_an_undo_leaves_what_was_before() -> None:
    assert delivered("a", "b", "c").back_to(2) == delivered("a", "b")


def test_the_same_version_again_takes_the_place_of_itself() -> None:
    found = delivered("a", "b").after(delivery(2, "c"))
    assert [each.digest for each in found.deliveries] == ["a", "c"]


def test_an_undo_also_takes_back_what_the_generation_is_made_for() -> None:
    assert delivered("a").after(delivery(2), "x").back_to(1, "").configured == ""
    assert delivered("a").after(delivery(2), "x").after(delivery(3)).configured == "x"


def test_the_oldest_deliveries_go() -> None:
    found = delivered(*(str(number) for number in range(KEPT + 5)))
    assert (len(found.deliveries), found.deliveries[0].version) == (KEPT, 6)


@pytest.mark.parametrize("digests, version", [("ab", 1), ("abb", 1), ("aba", 2), ("a", None), ("aa", None)])
def test_a_rollback_goes_to_the_newest_version_with_other_rows(digests: str, version: int) -> None:
    found = delivered(*digests).previous()
    assert (found.version if found else None) == version


def test_the_rows_of_the_last_documents_are_kept_each_once() -> None:
    assert delivered("a", "b", "c", "b", "d").documents == ("d", "b", "c")
    assert DOCUMENTS == 3


def test_it_reads_back_as_it_was_written(paths: Paths) -> None:
    found = replace(delivered("a", "b"), configured="b")
    store.write_history(paths, "scrubber", found)
    assert store.history(paths, "scrubber") == found


def test_nothing_was_delivered_where_there_is_no_file(paths: Paths) -> None:
    assert store.history(paths, "scrubber") == History()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2, "configured": "", "deliveries": []}', '{"format": 1, "deliveries": [{}]}'],
)
def test_a_damaged_file_is_told_with_what_to_do(paths: Paths, text: str) -> None:
    store.folder(paths, "scrubber").mkdir(parents=True)
    (store.folder(paths, "scrubber") / "history.json").write_text(text, encoding="utf-8")
    with pytest.raises(WirespeedError, match=r"is damaged.* Remove it and deliver the document again"):
        store.history(paths, "scrubber")


def test_nobody_else_can_read_it(paths: Paths) -> None:
    store.write_history(paths, "scrubber", delivered("a"))
    assert (store.folder(paths, "scrubber") / "history.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((store.folder(paths, "scrubber") / "history.json").read_text())["format"] == 1
