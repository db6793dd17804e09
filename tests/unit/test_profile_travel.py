# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile set travels to a target as JSON, where there are no files, no YAML and no schema."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wirespeed import expression, namespace
from wirespeed.errors import BadInput
from wirespeed.profiles.load import BUILT_IN, ProfileSet
from wirespeed.profiles.resolve import resolve

from .profile_cases import KERNELS, built_in, e1000e, igb, intent, node, veth, virtio, vmxnet3

TARGET = """
import json, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("yaml", "jsonschema"):
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
from wirespeed.profiles.load import ProfileSet
from wirespeed.profiles.resolve import resolve
from tests.unit.profile_cases import igb, intent, node
profile = resolve(ProfileSet.from_json(json.load(sys.stdin)), igb(), node(), intent())
print(profile.digest)
"""


def sent() -> ProfileSet:
    return ProfileSet.from_json(json.loads(json.dumps(built_in().to_json())))


def test_what_arrives_is_what_was_sent():
    def told(profiles):
        return [(each.source, each.layer, each.data) for each in profiles.documents]

    assert told(sent()) == told(built_in())


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_target_resolves_to_the_same_values_and_origins(kernel):
    for nic in (igb(), virtio(), vmxnet3(), e1000e(), veth()):
        there, here = (resolve(each, nic, node(kernel), intent()) for each in (sent(), built_in()))
        assert [each.origin for each in there.constraints] == [each.origin for each in here.constraints]
        assert (there.tuning, there.digest, there.operations, there.findings, there.counters) == (
            here.tuning,
            here.digest,
            here.operations,
            here.findings,
            here.counters,
        )


def test_a_target_needs_neither_yaml_nor_the_schema():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", TARGET],
        input=json.dumps(built_in().to_json()),
        capture_output=True,
        text=True,
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'plugins/module_utils'}"},
        check=False,
    )
    assert done.stdout.strip() == resolve(built_in(), igb(), node(), intent()).digest, done.stderr


def test_a_set_of_another_version_is_refused():
    with pytest.raises(BadInput, match="Use one version on the control node and on the target"):
        ProfileSet.from_json({"format": 99, "documents": []})


def test_the_code_parses_on_python_3_9():
    for path in [*BUILT_IN.glob("*.py"), Path(expression.__file__), Path(namespace.__file__)]:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
