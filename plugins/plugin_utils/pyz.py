# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as one file that a node's Python runs: the same content always gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Iterator, Tuple

from ..module_utils.wirespeed.packaged import PACKAGE, contents

_INTERPRETER = b"#!/usr/bin/env python3\n"
_MAIN = b"""\
# SPDX-License-Identifier: GPL-3.0-or-later
import sys

from wirespeed.cli import main

sys.exit(main())
"""
_THEN = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file knows


def content(package: Path = PACKAGE) -> bytes:
    """Not compressed: a library's way of compressing differs by its version."""
    packed = io.BytesIO(_INTERPRETER)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, data in _members(package):
            entry = zipfile.ZipInfo(name, _THEN)
            entry.create_system = 3  # Unix: says how the mode below is to be read
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def _members(package: Path) -> Iterator[Tuple[str, bytes]]:
    yield "__main__.py", _MAIN
    for name, data in contents(package):
        yield f"wirespeed/{name}", data


def build(folder: Path, package: Path = PACKAGE) -> Path:
    """The file in ``folder``, named after its content; written whole, and only where it is not there yet."""
    data = content(package)
    path = folder / f"wirespeed-{hashlib.sha256(data).hexdigest()[:16]}.pyz"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, draft = tempfile.mkstemp(dir=folder, prefix=".wirespeed-")
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    return path
