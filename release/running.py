# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that a release needs, in surroundings that leave no trace in what they write."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, Sequence

LAST_LINES = 20


class Failed(Exception):
    """A sentence, or a program's last lines."""


def run(command: Sequence[str], where: Path, when: int) -> bytes:
    """Standard output. ``when`` is SOURCE_DATE_EPOCH. Raises :class:`Failed`."""
    try:
        done = subprocess.run(command, cwd=where, env=_surroundings(when), capture_output=True, check=False)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed; 'make setup' installs what a release needs.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").splitlines()[-LAST_LINES:]
        raise Failed("\n".join([f"'{' '.join(command)}' failed:", *said]))
    return done.stdout


def _surroundings(when: int) -> Dict[str, str]:
    """Of the caller's only what finds programs, and where pip and Ansible may write."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    fixed = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **fixed, "SOURCE_DATE_EPOCH": str(when)}
