# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's own files, also where the package runs from one zip file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Iterator, Optional, Tuple

PACKAGE = Path(__file__).resolve().parent
KINDS = (".css", ".j2", ".js", ".json", ".o", ".py", ".yml")
"""What the package is made of. Anything else beside it (bytecode, an editor's copy) is no part of it."""


def contents(package: Path = PACKAGE) -> Iterator[Tuple[str, bytes]]:
    """Each file's path inside the package, in their order, and what is in it."""
    archive = _archive(package)
    if archive is None:
        found = (path for path in package.rglob("*") if path.suffix in KINDS and path.is_file())
        for name in sorted(path.relative_to(package).as_posix() for path in found):
            yield name, (package / name).read_bytes()
        return
    inside = package.relative_to(archive).as_posix() + "/"
    with zipfile.ZipFile(archive) as packed:
        for name in sorted(packed.namelist()):
            if name.startswith(inside) and name.endswith(KINDS):
                yield name[len(inside) :], packed.read(name)


@cache
def unpacked(path: Path) -> Path:
    """``path`` as it is, or where it lies in a zip file a copy of it, which lasts as long as this process.

    A path that is nowhere is returned as it is, for the caller to say so.
    """
    archive = _archive(path)
    if archive is None:
        return path
    inside = path.relative_to(archive).as_posix()
    folder = Path(tempfile.mkdtemp(prefix="wirespeed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        data = [name for name in packed.namelist() if not name.endswith((".py", "/"))]
        packed.extractall(folder, [name for name in data if name == inside or name.startswith(f"{inside}/")])
    return folder / inside


def _archive(path: Path) -> Optional[Path]:
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    return archive if archive is not None and zipfile.is_zipfile(archive) else None
