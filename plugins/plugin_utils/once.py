# SPDX-License-Identifier: GPL-3.0-or-later
"""A text that every host of a task needs, made by the first worker that needs it; the others wait and read it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Callable

from ansible import constants


def once(key: str, make: Callable[[], str]) -> str:
    """``key`` holds all that decides what the text is. Whatever ``make`` raises is raised, for each host anew.

    The file is in Ansible's own temporary folder, which only this user reads and which goes with the run.
    """
    folder = Path(constants.DEFAULT_LOCAL_TMP) / "wirespeed"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.once"
    with open(path.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.write_text(make(), encoding="utf-8")
            os.replace(draft, path)
    return path.read_text(encoding="utf-8")
