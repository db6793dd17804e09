# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials (CycloneDX 1.6): what a release consists of and needs, its licences, what made it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Dict, List

import yaml
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

from .running import Failed
from .source import OBJECTS, Commit

SPDX = "SPDX-License-Identifier: "
ENGINE_LICENCE = "GPL-3.0-or-later"
HOME = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/wirespeed/wirespeed.xdp")
BUILDERS = {"clang": "clang", "llvm": "llvm", "libbpf-dev": "libbpf-dev", "zlib": "zlib1g", "dpkg-deb": "dpkg"}
"""Debian packages whose version decides what is built, by what the bill calls them."""


def build(commit: Commit, into: Path) -> Path:
    """``into`` holds what is released, but for the sums. Raises :class:`Failed`."""
    text = bill(commit, sorted(into.iterdir()))
    wrong = problem(text)
    if wrong:
        raise Failed(f"The bill of materials is not as CycloneDX wants it: {wrong}")
    made = into / f"wirespeed-{commit.version}.cdx.json"
    made.write_text(text)
    return made


def problem(text: str) -> str:
    """What the published schema finds wrong; empty where nothing is."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return "" if found is None else str(found)


def bill(commit: Commit, artifacts: List[Path]) -> str:
    """As JSON, the same for the same commit and tools."""
    whole = _whole(commit)
    objects = [_object(commit, path) for path in commit.objects]
    engine = _engine(commit)
    needed, optional = _required(commit)
    released = [_file(path, "released") for path in artifacts]
    made = Bom(
        serial_number=uuid.uuid5(HOME, commit.name),
        components=[engine, *objects, *needed, *optional, *released],
        metadata=BomMetaData(
            component=whole,
            timestamp=datetime.fromtimestamp(commit.when, UTC),
            tools=ToolRepository(components=_builders(commit)),
            properties=[Property(name="wirespeed:commit", value=commit.name)],
        ),
    )
    made.register_dependency(whole, [engine, *objects])
    made.register_dependency(engine, [*needed, *optional])
    return str(JsonV1Dot6(made).output_as_string(indent=2)) + "\n"


def _whole(commit: Commit) -> Component:
    project = commit.project["project"]
    return Component(
        name=project["name"],
        version=commit.version,
        type=ComponentType.APPLICATION,
        bom_ref="wirespeed",
        description=project["description"],
        licenses=[LicenseExpression(project["license"])],
        purl=PackageURL("pypi", None, project["name"], commit.version),
    )


def _engine(commit: Commit) -> Component:
    return Component(
        name="wirespeed-engine",
        version=commit.version,
        type=ComponentType.LIBRARY,
        bom_ref="engine",
        description="The Python code and the NIC profiles, and the collection's modules, plugins, roles and playbooks",
        licenses=[LicenseExpression(ENGINE_LICENCE)],
    )


def _object(commit: Commit, path: Path) -> Component:
    name = path.name.removesuffix(".bpf.o")
    source = _source(commit, name)
    manifest = path.with_name(f"{name}.pipeline.yml")
    version = yaml.safe_load(manifest.read_text())["version"] if manifest.exists() else commit.version
    return Component(
        name=path.name,
        version=version,
        type=ComponentType.FILE,
        bom_ref=f"object:{name}",
        description="BPF object, little-endian",
        hashes=[_digest(path)],
        licenses=[LicenseExpression(_licence(source))],
        properties=[
            Property(name="wirespeed:path", value=str(OBJECTS / path.name)),
            Property(name="wirespeed:source", value=str(source.relative_to(commit.root))),
        ],
    )


def _source(commit: Commit, name: str) -> Path:
    """NAME_frags is NAME's source compiled for frames of several buffers (bpf/Makefile)."""
    plain = name.removesuffix("_frags")
    tried = [commit.root / "bpf" / f"{plain}.bpf.c", commit.root / "bpf" / plain / f"{plain}.bpf.c"]
    found = next((path for path in tried if path.exists()), None)
    if found is None:
        raise Failed(f"{name}.bpf.o has no source: {' and '.join(map(str, tried))} do not exist.")
    return found


def _licence(source: Path) -> str:
    first = source.read_text().splitlines()[0]
    if SPDX not in first:
        raise Failed(f"{source} does not begin with its licence ('{SPDX}...').")
    return first.partition(SPDX)[2].removesuffix("*/").strip()


def _required(commit: Commit) -> "tuple[List[Component], List[Component]]":
    """What a node needs, and what it can do without. No versions, which are the node's distribution's choice."""
    packages = [Requirement(text) for text in commit.project["project"]["dependencies"]]
    needed = [_needed("pypi", each.name, str(each), ComponentScope.REQUIRED) for each in packages]
    for name in commit.project["tool"]["wirespeed"]["apt"]["target"]:
        if not name.startswith("python3-"):
            needed.append(_needed("deb", name, name, ComponentScope.REQUIRED, "debian"))
    more = [Requirement(text) for text in commit.project["project"]["optional-dependencies"]["observability"]]
    optional = [_needed("pypi", each.name, str(each), ComponentScope.OPTIONAL) for each in more]
    return needed, [*optional, _needed("deb", "python3-ethtool", "python3-ethtool", ComponentScope.OPTIONAL, "debian")]


def _needed(kind: str, name: str, asked: str, scope: ComponentScope, space: "str | None" = None) -> Component:
    return Component(
        name=name,
        type=ComponentType.LIBRARY,
        bom_ref=f"{kind}:{name}",
        scope=scope,
        purl=PackageURL(kind, space, name.lower()),
        properties=[Property(name="wirespeed:requirement", value=asked)],
    )


def _file(path: Path, part: str) -> Component:
    return Component(
        name=path.name,
        type=ComponentType.FILE,
        bom_ref=f"{part}:{path.name}",
        hashes=[_digest(path)],
    )


def _digest(path: Path) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(path.read_bytes()).hexdigest())


def _builders(commit: Commit) -> List[Component]:
    """What compiled and packed it: with other versions the bytes may be others."""
    found: Dict[str, Any] = {}
    for name, package in BUILDERS.items():
        found[name] = commit.run("dpkg-query", "--show", "--showformat=${Version}", package).decode()
    found["setuptools"] = next(
        each.partition("==")[2]
        for each in commit.project["project"]["optional-dependencies"]["release"]
        if each.startswith("setuptools==")
    )
    return [Component(name=name, version=version, type=ComponentType.APPLICATION) for name, version in found.items()]
