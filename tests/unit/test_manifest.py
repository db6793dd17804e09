# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest that is wrong is refused with file, line, field and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from wirespeed.errors import BadInput
from wirespeed.pipeline.manifest import Manifest, OnLayoutChange, Role, load_manifest

REFERENCE = Path(__file__).resolve().parents[2] / "plugins/module_utils/wirespeed/objects/scrubber.pipeline.yml"
GOOD = """\
manifest: 1
name: edge
version: "1.4.0"
entry: edge
maps:
  flows: {role: state}
  deny: {role: config, table: prefix_set}
verdicts:
  - {name: pass, action: pass}
  - {name: denied, action: drop}
"""


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], str]:
    def load(text: str) -> str:
        path = tmp_path / "edge.pipeline.yml"
        path.write_text(text)
        with pytest.raises(BadInput) as error:
            load_manifest(path)
        return str(error.value).replace(f"{tmp_path}/", "")

    return load


def test_the_reference_manifest_is_valid() -> None:
    manifest = load_manifest(REFERENCE)
    assert manifest.entry == "scrubber"
    assert [verdict.name for verdict in manifest.verdicts][:2] == ["pass", "not_inspected"]


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "edge.pipeline.yml"
    path.write_text(GOOD)
    manifest = load_manifest(path)
    assert (manifest.object, manifest.empty_slot, manifest.stages) == ("edge.bpf.o", "pass", ())
    assert manifest.maps["flows"].role is Role.STATE
    assert manifest.maps["flows"].on_layout_change is OnLayoutChange.CONVERT


def test_json_carries_all_of_it() -> None:
    manifest = load_manifest(REFERENCE)
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("entry: edge", "entri: edge", "edge.pipeline.yml:1: has no 'entry'"),
        ("maps:", "empty_slott: drop\nmaps:", ":5: empty_slott: 'empty_slott' is not known here. Did you mean"),
        ("role: state", "role: stats8", ":6: maps.flows.role: 'stats8' is not known here. Did you mean 'stats'?"),
        (
            "table: prefix_set",
            "table: prefixset",
            "Did you mean 'prefix_set'? Allowed: address_set, port_set, prefix_set, records.",
        ),
        ("table: prefix_set", "table: prefix_set, needs: [with_deny]", "maps.deny.needs: no such constant"),
        ("role: state", "role: state, table: prefix_set", "maps.flows.table: stands on a map of role 'state'"),
        ("table: prefix_set", "value: 2", ":7: maps.deny: 'table' is a dependency of 'value'"),
        ("table: prefix_set", "order: network", ":7: maps.deny: 'table' is a dependency of 'order'"),
        ("table: prefix_set", "table: port_set, order: big", "maps.deny.order: 'big' is not known here."),
        ("table: prefix_set", "table: port_set, value: -1", "the number that is written as the value of each row"),
        ("name: denied", "name: pass", ":10: verdicts[1].name: 'pass' is verdict 0 already"),
        ("action: drop", "action: dorp", "verdicts[1].action: 'dorp' is not known here. Did you mean 'drop'?"),
        ('version: "1.4.0"', "version: 1.4", ":3: version: is 1.4, not a text"),
        ("name: edge", "name: Edge", "the pipeline's name: a lower-case letter"),
        ("name: edge", "name: links", "and not 'links'"),
        ("manifest: 1", "manifest: 2", ":1: manifest: '2' is not known here. Allowed: 1."),
        ("role: state", "role: state, max_entries: 0", "a size other than the object's own, from 1 to"),
        ("entry: edge", "entry: edge\nentry: other", ":5: entry: the key 'entry' is given twice, first in line 4"),
        ("maps:", "maps: [", "is not valid YAML"),
        ("verdicts:", "verdicts: none\nx:", "verdicts: is 'none', not a list"),
    ],
)
def test_an_error_says_where_and_what(refused: Callable[[str], str], old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert said in refused(GOOD.replace(old, new, 1))


def test_an_empty_file_is_refused(refused: Callable[[str], str]) -> None:
    assert "is empty" in refused("")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_manifest(tmp_path / "none.pipeline.yml")


def test_a_manifest_of_another_make_is_refused() -> None:
    with pytest.raises(BadInput, match="is not one that this version can read"):
        Manifest.from_json({"manifest": 1, "name": "edge"})
