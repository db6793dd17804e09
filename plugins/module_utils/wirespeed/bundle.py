# SPDX-License-Identifier: GPL-3.0-or-later
"""What a control node sends to a node in one piece: profiles, and pipelines with their objects.

As JSON: ``{"profiles": ..., "support": {NAME: BASE64}, "pipelines": [{"manifest": {...}, "object": BASE64}]}``.
A target of Ansible has no data files of ours (Ansiballz ships only .py), so everything is here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Sequence

from .errors import BadInput, Place
from .pipeline.manifest import Manifest
from .pipeline.source import PipelineSource
from .pipeline.support import Support
from .profiles.load import ProfileSet

MAX_OBJECT_BYTES = 16 << 20


@dataclass(frozen=True)
class Bundle:
    """``pipelines`` by the name in their manifest."""

    profiles: ProfileSet
    pipelines: Mapping[str, PipelineSource]


def parse(data: Mapping[str, Any]) -> Bundle:
    """Raises :class:`BadInput` for a bundle that no front of ours has made."""
    pipelines: Dict[str, PipelineSource] = {}
    given = data.get("support", {})
    support = Support.of({name: _decoded(given, name) for name in given})
    for item in data.get("pipelines", ()):
        manifest = Manifest.from_json(item["manifest"])
        code = _decoded(item, "object")
        pipelines[manifest.name] = PipelineSource(manifest, code, support, Place(manifest.object))
    return Bundle(ProfileSet.from_json(data["profiles"]), pipelines)


def dump(profiles: ProfileSet, support: Support, sources: Sequence[PipelineSource]) -> Dict[str, Any]:
    return {
        "profiles": profiles.to_json(),
        "support": {name: _encoded(code) for name, code in support.parts.items()},
        "pipelines": [item(source) for source in sources],
    }


def dump_tracers(objects: Mapping[str, bytes]) -> Dict[str, Any]:
    """The bundle of a trace: the compiled tracers by name."""
    return {"tracers": {name: _encoded(code) for name, code in objects.items()}}


def parse_tracers(data: Mapping[str, Any]) -> Dict[str, bytes]:
    """Raises :class:`BadInput` for a bundle that no front of ours has made."""
    given = data.get("tracers", {})
    return {name: _decoded(given, name) for name in given}


def dump_probes(objects: Mapping[str, bytes]) -> Dict[str, Any]:
    """What a bundle has beside its profiles for a diagnosis: the compiled probes by name."""
    return {"probes": {name: _encoded(code) for name, code in objects.items()}}


def parse_probes(data: Mapping[str, Any]) -> Dict[str, bytes]:
    """Raises :class:`BadInput` for a bundle that no front of ours has made."""
    given = data.get("probes", {})
    return {name: _decoded(given, name) for name in given}


def item(source: PipelineSource) -> Dict[str, Any]:
    """One of a bundle's ``pipelines``."""
    return {"manifest": source.manifest.to_json(), "object": _encoded(source.object_bytes)}


def _encoded(code: bytes) -> str:
    return base64.b64encode(code).decode("ascii")


def _decoded(item: Mapping[str, Any], field: str) -> bytes:
    place = Place("bundle")
    try:
        code = base64.b64decode(item[field], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise BadInput(place, field, f"is not base64: {error}.") from None
    if len(code) > MAX_OBJECT_BYTES:
        raise BadInput(place, field, f"has {len(code)} bytes; at most {MAX_OBJECT_BYTES} are taken.")
    return code
