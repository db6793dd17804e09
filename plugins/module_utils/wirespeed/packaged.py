# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's own data files where the package runs from one zip file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path


@cache
def unpacked(path: Path) -> Path:
    """``path`` as it is, or where it lies in a zip file a copy of it, which lasts as long as this process.

    A path that is nowhere is returned as it is, for the caller to say so.
    """
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None or not zipfile.is_zipfile(archive):
        return path
    inside = path.relative_to(archive).as_posix()
    folder = Path(tempfile.mkdtemp(prefix="wirespeed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        data = [name for name in packed.namelist() if not name.endswith((".py", "/"))]
        packed.extractall(folder, [name for name in data if name == inside or name.startswith(f"{inside}/")])
    return folder / inside
