# SPDX-License-Identifier: GPL-3.0-or-later
"""A document is compiled once for all hosts of a play."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, Optional
from unittest import mock

import pytest

from tests.probes import requires
from wirespeed import compiling
from wirespeed.config import bundle, document
from wirespeed.errors import BadInput, Place

from .config_cases import compiled, source

pytestmark = requires("clang")


def once(tables: Dict[str, Any], folder: Path, relative_to: Optional[Path] = None) -> Path:
    said = document.given({"pipeline": "small", "tables": tables}, Place("test"), relative_to)
    return compiling.compiled(said, source(), folder / "made")


def test_the_bundle_is_of_the_document(tmp_path: Path) -> None:
    assert bundle.read(once({"ports": [53]}, tmp_path)).digest == compiled({"ports": [53]}).digest


def test_many_at_once_compile_it_once(tmp_path: Path) -> None:
    source()
    with mock.patch.object(compiling, "compile_document", wraps=document.compile_document) as compiles:
        with ThreadPoolExecutor(4) as workers:
            paths = set(workers.map(lambda dummy: once({"ports": [53]}, tmp_path), range(8)))
    assert (len(paths), compiles.call_count) == (1, 1)


def test_other_rows_are_another_bundle_also_where_they_are_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "ports.txt").write_text("53\n")
    first = once({"ports": {"file": "ports.txt"}}, tmp_path, tmp_path)
    (tmp_path / "ports.txt").write_text("54\n")
    second = once({"ports": {"file": "ports.txt"}}, tmp_path, tmp_path)
    assert bundle.read(first).digest == compiled({"ports": [53]}).digest
    assert bundle.read(second).digest == compiled({"ports": [54]}).digest


def test_a_mistake_leaves_no_bundle(tmp_path: Path) -> None:
    for dummy in range(2):
        with pytest.raises(BadInput, match="'x' is no port"):
            once({"ports": ["x"]}, tmp_path)
    assert list((tmp_path / "made").glob("*.bundle")) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.txt: cannot be read: No such file"):
        once({"ports": {"file": "none.txt"}}, tmp_path, tmp_path)
