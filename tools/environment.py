# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual environments, over the system's own Python and its Debian modules: one with ansible, pytest and the
linters, and one for each tool whose requirements would not go with these.

It lives in the cache under a name made of what it holds, so that another branch with other
requirements gets another one, and an unchanged one is never built twice.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path
from typing import Mapping, Optional, Sequence

from progress import Stage, run
from project import cache

COMPLETE = "complete"  # written last: without it the folder is a half-built one
GROUPS = ("control", "test", "lint")
ANSIBLE = "control"
PIP_STEP = re.compile(r"^\s*(Collecting|Downloading|Building wheel|Installing collected packages)\b.*")


def requirements(groups: Mapping[str, Sequence[str]], names: Sequence[str] = GROUPS) -> Sequence[str]:
    return [requirement for name in names for requirement in groups[name]]


def location(groups: Mapping[str, Sequence[str]], names: Sequence[str] = GROUPS) -> Path:
    """Where the environment is, or will be. Costs no more than a hash."""
    content = "\n".join([sys.executable, sys.version, *requirements(groups, names)])
    return cache() / f"venv-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def is_complete(folder: Path) -> bool:
    return (folder / COMPLETE).exists()


def create(
    stage: Stage, folder: Path, groups: Mapping[str, Sequence[str]], log: Path, names: Sequence[str] = GROUPS
) -> None:
    wanted = requirements(groups, names)
    stage.say(f"creating {folder} with {len(wanted)} requirements: {', '.join(wanted)}")
    shutil.rmtree(folder, ignore_errors=True)
    run(stage, [sys.executable, "-m", "venv", "--system-site-packages", str(folder)], log, lambda line: None)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    run(stage, [*pip, *wanted], log, _progress)
    (folder / COMPLETE).write_text("\n".join(wanted) + "\n")


def _progress(line: str) -> Optional[str]:
    return line.strip() if PIP_STEP.match(line) else None
