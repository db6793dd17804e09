# SPDX-License-Identifier: GPL-3.0-or-later
"""Two kinds of files beside the pins: a record of each loaded instance, and a store of sources.

A record lives in the run directory and dies with a reboot, as the pins do. The store is kept: it
is where an undo, a rollback or a boot with no control node takes a pipeline from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..errors import Place, WirespeedError
from ..whole_file import replacing
from .manifest import Manifest
from .pins import PROTOCOL, Paths
from .source import PipelineSource, digest_of
from .support import Support

ADOPTED = "adopted"
"""The version of a program that someone else had attached."""


@dataclass(frozen=True)
class Record:
    """``loaded_at`` in seconds since 1970; ``reused`` names the maps taken over, ``reset`` those begun anew."""

    pipeline: str
    generation: str
    digest: str
    version: str
    loaded_at: float
    loaded_by: str
    reused: Tuple[str, ...]
    reset: Tuple[str, ...]
    manifest: Dict[str, Any]
    protocol: int = PROTOCOL


def write(paths: Paths, record: Record) -> None:
    text = json.dumps(asdict(record), indent=1, sort_keys=True)
    write_file(paths.record(record.pipeline, record.generation), text.encode())


def read(paths: Paths, pipeline: str, generation: str) -> Optional[Record]:
    """None when it is missing or damaged: the pins speak for themselves, this only adds to them."""
    try:
        data = json.loads(paths.record(pipeline, generation).read_text(encoding="utf-8"))
        return Record(**{**data, "reused": tuple(data["reused"]), "reset": tuple(data["reset"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def store(paths: Paths, source: PipelineSource) -> None:
    """Keeps the source by its generation; objects are kept once each, by their own digest."""
    said = {
        "manifest": source.manifest.to_json(),
        "digest": source.digest,
        "configured": source.configured,
        "object": _keep(paths, source.object_bytes),
        "support": {name: _keep(paths, data) for name, data in source.support.parts.items() if data},
    }
    text = json.dumps(said, indent=1, sort_keys=True)
    write_file(source_path(paths, source.manifest.name, source.generation), text.encode())


def _keep(paths: Paths, data: bytes) -> str:
    """The digest under which it is kept."""
    digest = hashlib.sha256(data).hexdigest()
    if not object_path(paths, digest).exists():
        write_file(object_path(paths, digest), data)
    return digest


def stored(paths: Paths, pipeline: str, generation: str) -> PipelineSource:
    """Raises :class:`WirespeedError` when the store has no such source, or a damaged one."""
    path = source_path(paths, pipeline, generation)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest.from_json(said["manifest"])
        code = object_path(paths, said["object"]).read_bytes()
        # Protocol 1 kept the root alone.
        named = said.get("support") or {"root": said["root"]}
        support = Support.of({name: object_path(paths, digest).read_bytes() for name, digest in named.items()})
    except (OSError, ValueError, KeyError) as error:
        raise WirespeedError(
            f"Generation {generation} of pipeline {pipeline} is not in the store of this node ({path}: {error}).",
            "Run the playbook again: it brings the object along.",
        ) from error
    # Of the stored words themselves: another version of ours may say the same in others.
    configured = str(said.get("configured", ""))
    digest = digest_of(said["manifest"], code, configured)
    if not digest.startswith(generation):
        raise WirespeedError(f"{path}: the stored object is not what it was: its digest now is {digest}.")
    return PipelineSource(manifest, code, support, Place(str(path)), digest, configured)


def stored_generations(paths: Paths, pipeline: str) -> List[str]:
    """Those of the store, newest first."""
    found = sorted((paths.state / "sources" / pipeline).glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [path.stem for path in reversed(found)]


def source_path(paths: Paths, pipeline: str, generation: str) -> Path:
    return paths.state / "sources" / pipeline / f"{generation}.json"


def object_path(paths: Paths, digest: str) -> Path:
    return paths.state / "objects" / f"{digest}.bpf.o"


def write_file(path: Path, data: bytes) -> None:
    """With its folder. Raises :class:`WirespeedError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WirespeedError(f"Cannot write {path}: {error.strerror}.", "Make room, or correct its mode.") from error
    with replacing(path) as file:
        file.write(data)
