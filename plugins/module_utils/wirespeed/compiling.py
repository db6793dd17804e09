# SPDX-License-Identifier: GPL-3.0-or-later
"""A document compiled once for all hosts of a play: the first worker that needs it compiles it, the others wait.

Runs on a control node; never on an Ansible target.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from pathlib import Path
from typing import Iterator

from .config import bundle as bundles
from .config.document import Document, compile_document
from .config.files import File
from .config.given import Inline
from .errors import BadInput
from .pipeline.source import PipelineSource

_BLOCK = 1 << 20


def compiled(document: Document, source: PipelineSource, folder: Path) -> Path:
    """The bundle, in ``folder``, named after all that decides what is in it. Raises :class:`BadInput`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{_name(document, source)}.bundle"
    with open(path.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            manifest = source.manifest
            bundles.write(compile_document(document, manifest.name, manifest.config, source.tables), path)
    return path


def _name(document: Document, source: PipelineSource) -> str:
    found = hashlib.sha256()
    for part in _parts(document, source):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def _parts(document: Document, source: PipelineSource) -> Iterator[bytes]:
    yield json.dumps(source.manifest.to_json(), sort_keys=True).encode()
    yield source.object_bytes
    yield f"{document.pipeline} {document.schema}".encode()
    for name, rows in document.tables.items():
        yield name.encode()
        if isinstance(rows, Inline):
            yield repr(rows.rows).encode()
        elif isinstance(rows, File):
            yield type(rows).__name__.encode()
            yield from _content(rows)


def _content(file: File) -> Iterator[bytes]:
    try:
        with open(file.path, "rb") as opened:
            yield from iter(lambda: opened.read(_BLOCK), b"")
    except OSError as error:
        raise BadInput(file.whole, "", f"cannot be read: {error.strerror}.", "Correct its name or its mode.") from None
