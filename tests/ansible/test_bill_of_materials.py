# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of a release: valid, and true of the release's files."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tomllib
import zipfile
from typing import Any, Dict

import pytest

from tests.documentation import held
from tests.probes import requires

from . import releases
from .releases import ROOT, Release

pytestmark = requires("clone", "clang", "dpkg-deb", "ansible")

Components = Dict[str, Dict[str, Any]]

VALIDATE = "import sys; from release import sbom; print(sbom.problem(sys.stdin.read()))"


@pytest.fixture(scope="module")
def text(released: Release) -> str:
    return released.file("*.cdx.json").read_text()


@pytest.fixture(scope="module")
def components(text: str) -> Components:
    return {each["bom-ref"]: each for each in json.loads(text)["components"]}


def problem(text: str) -> str:
    """What the CycloneDX library finds wrong, by the published schema."""
    command = [str(releases.environment()), "-c", VALIDATE]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def digest(component: Dict[str, Any]) -> str:
    (found,) = component["hashes"]
    assert found["alg"] == "SHA-256"
    return str(found["content"])


def licence(component: Dict[str, Any]) -> str:
    (found,) = component["licenses"]
    return str(found["expression"])


def test_it_is_valid(text: str) -> None:
    assert problem(text) == ""


def test_a_component_of_no_known_type_would_not_be(text: str) -> None:
    wrong = json.loads(text)
    wrong["components"][0]["type"] = "sandwich"
    assert "sandwich" in problem(json.dumps(wrong))


def test_it_has_every_object_with_the_digest_of_the_file_that_ships(released: Release, components: Components) -> None:
    with zipfile.ZipFile(released.file("*.whl")) as wheel:
        shipped = {name: wheel.read(name) for name in wheel.namelist() if name.endswith(".bpf.o")}
    told = {f"wirespeed/objects/{each['name']}": digest(each) for ref, each in components.items() if "object:" in ref}
    assert told == {name: hashlib.sha256(data).hexdigest() for name, data in shipped.items()}


def test_it_has_the_digest_of_everything_that_is_released(released: Release, components: Components) -> None:
    files = [path for path in released.dist.iterdir() if path.suffix in (".gz", ".whl", ".deb")]
    told = {each["name"]: digest(each) for ref, each in components.items() if ref.startswith("released:")}
    assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_objects_have_the_licence_of_their_sources(components: Components) -> None:
    assert licence(components["object:scrubber"]) == "BSD-2-Clause OR GPL-2.0-or-later"


def test_the_engine_has_its_own(components: Components) -> None:
    assert licence(components["engine"]) == "GPL-3.0-or-later"


def test_it_has_all_that_the_package_requires(text: str, components: Components) -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    of_pypi = [each for ref, each in components.items() if ref.startswith("pypi:") and each["scope"] == "required"]
    assert sorted(each["properties"][0]["value"] for each in of_pypi) == sorted(required)
    (engine,) = [each for each in json.loads(text)["dependencies"] if each["ref"] == "engine"]
    assert {ref for ref in components if ref.startswith(("pypi:", "deb:"))} == set(engine["dependsOn"])


@requires("jq")
def test_the_command_of_the_page_lists_the_objects(released: Release, components: Components) -> None:
    command = held.command("packaging.md", "jq -r")
    done = subprocess.run(["sh", "-c", command], cwd=released.dist, check=True, stdout=subprocess.PIPE, text=True)
    told = [line.split("\t") for line in done.stdout.splitlines()]
    objects = [each for ref, each in components.items() if ref.startswith("object:")]
    assert told == [[each["name"], each["hashes"][0]["content"], licence(each)] for each in objects]


def test_it_names_the_commit(released: Release, text: str) -> None:
    commit = releases.git(released.clone, "rev-parse", "HEAD").strip()
    assert json.loads(text)["metadata"]["properties"] == [{"name": "wirespeed:commit", "value": commit}]
