# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine this is, to the byte: what a node runs can be held against what was released."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Tuple

from . import __version__
from .packaged import PACKAGE, contents, unpacked
from .pipeline.manifest import load_manifest

OBJECTS = "objects"
_CODE, _MANIFEST = ".bpf.o", ".pipeline.yml"


@dataclass(frozen=True)
class BuiltObject:
    """A compiled object that comes with the engine. ``digest`` is the SHA-256 of the file, ``version`` the manifest's;
    it is empty for what is no pipeline but a part of the engine, as the root is."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class Identity:
    """``digest`` is that of every file of the package: the same in an artifact of the collection, a wheel, a Debian
    package and the one file of the role ``boot``."""

    version: str
    digest: str
    objects: Tuple[BuiltObject, ...]

    def to_json(self) -> Dict[str, Any]:
        return {
            "version": self.version,
            "digest": self.digest,
            "objects": [
                {"name": each.name, "version": each.version or None, "digest": each.digest} for each in self.objects
            ],
        }


def identity() -> Identity:
    """Of the engine that runs. Raises :class:`BadInput` when a manifest that came with it is damaged."""
    files = [(name, hashlib.sha256(data).hexdigest()) for name, data in contents()]
    return Identity(__version__, digest_of(files), tuple(_objects(files)))


def digest_of(files: Iterable[Tuple[str, str]]) -> str:
    """SHA-256 of the lines that ``sha256sum`` has for these files (path inside the package, digest), by path."""
    lines = [f"{digest}  {name}\n" for name, digest in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _objects(files: Iterable[Tuple[str, str]]) -> Iterable[BuiltObject]:
    names = {name for name, digest in files}
    for path, digest in files:
        if path.startswith(f"{OBJECTS}/") and path.endswith(_CODE):
            name = path[len(OBJECTS) + 1 : -len(_CODE)]
            manifest = f"{OBJECTS}/{name}{_MANIFEST}"
            known = (
                load_manifest(unpacked(PACKAGE / OBJECTS) / f"{name}{_MANIFEST}").version if manifest in names else ""
            )
            yield BuiltObject(name, known, digest)
