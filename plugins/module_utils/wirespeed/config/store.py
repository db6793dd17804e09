# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivered documents and their history, in files that outlive a reboot.

``<state>/config/<PIPELINE>/history.json``, and ``<DIGEST>.bundle`` for the rows of the last versions. Readable by root
alone. Who writes holds the node's lock.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Dict, Mapping

from ..errors import WirespeedError
from ..pipeline.pins import Paths
from ..pipeline.records import write_file
from . import bundle
from .compiled import Compiled
from .difference import Difference
from .history import History
from .packed import Packed

_SUFFIX = ".bundle"
_UNDO = "undo"
_TAKEN, _CHANGED, _ADDED = "/removed", "/changed", "/added"


def folder(paths: Paths, pipeline: str) -> Path:
    return paths.state / "config" / pipeline


def path(paths: Paths, pipeline: str, digest: str) -> Path:
    """Of a document's rows."""
    return folder(paths, pipeline) / f"{digest}{_SUFFIX}"


def history(paths: Paths, pipeline: str) -> History:
    """Raises :class:`WirespeedError` for a file that cannot be read: the next version's number would be a guess."""
    file = folder(paths, pipeline) / "history.json"
    try:
        return History.from_json(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise WirespeedError(f"{file} cannot be read: {error.strerror}.", "Mend the file system or its mode.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{file} is damaged, so the version of the configuration is not known ({error})."
        raise WirespeedError(problem, "Remove it and deliver the document again: versions then begin at 1.") from None


def write_history(paths: Paths, pipeline: str, found: History) -> None:
    text = json.dumps(found.to_json(), indent=1, sort_keys=True)
    write_file(folder(paths, pipeline) / "history.json", text.encode())


def keep(paths: Paths, compiled: Compiled) -> None:
    """The rows, under their digest; what is there whole already is left."""
    file = path(paths, compiled.pipeline, compiled.digest)
    if holds(file, compiled.digest):
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WirespeedError(
            f"Cannot make {file.parent}: {error.strerror}.", "Make room, or correct its mode."
        ) from error
    bundle.write(compiled, file)


def keep_undo(paths: Paths, pipeline: str, differences: Mapping[str, Difference]) -> str:
    """The rows that a delivery in place takes away, and the keys of those that it adds; the digest that names it."""
    rows: Dict[str, Packed] = {}
    for name, each in differences.items():
        rows[name + _TAKEN], rows[name + _CHANGED] = each.removed, each.before
        rows[name + _ADDED] = Packed(each.added.key_size, 0, each.added.keys)
    compiled = Compiled(pipeline, 1, _UNDO, rows)
    keep(paths, compiled)
    return compiled.digest


def undo(paths: Paths, pipeline: str, digest: str) -> Dict[str, Difference]:
    """What :func:`keep_undo` kept, the other way round. Raises :class:`WirespeedError`."""
    rows = document(paths, pipeline, digest).tables
    found = {}
    for name in (each[: -len(_TAKEN)] for each in rows if each.endswith(_TAKEN)):
        changed = rows[name + _CHANGED]
        # How full the map is by now is not known, so that room is made first.
        found[name] = Difference(rows[name + _TAKEN], changed, changed, rows[name + _ADDED], sys.maxsize)
    return found


def holds(file: Path, digest: str) -> bool:
    try:
        return file.exists() and bundle.read(file).digest == digest
    except WirespeedError:
        return False


def document(paths: Paths, pipeline: str, digest: str) -> Compiled:
    """Raises :class:`WirespeedError` where its rows are not kept, or not as they were."""
    file = path(paths, pipeline, digest)
    if not file.exists():
        problem = f"The rows of configuration {digest[:12]} of pipeline {pipeline} are not kept on this node."
        raise WirespeedError(problem, "Deliver the document itself.")
    return bundle.read(file)


def prune(paths: Paths, pipeline: str) -> None:
    """Removes the rows of versions before the last ones, and what undone deliveries left. Not while a journal is there,
    which may name them."""
    kept = history(paths, pipeline).files
    for file in folder(paths, pipeline).glob(f"*{_SUFFIX}"):
        if file.name[: -len(_SUFFIX)] not in kept:
            file.unlink(missing_ok=True)
