# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a page from the top, writes the files that it shows and runs the commands that it says to run."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Dict, List

from . import page, shown
from .shell import Shell

ROOT = Path(__file__).resolve().parents[2]
ASKS_FOR_THE_CODE = "echo $?"
TOLD = 2500  # characters of what a failed command said


def runs(path: Path) -> bool:
    return any("run" in block.words for block in page.blocks(path))


def environment(home: Path) -> Dict[str, str]:
    """A reader's: a home without settings, the caches that are there already, and ``wirespeed`` installed."""
    tools = home / ".bin"
    tools.mkdir(parents=True, exist_ok=True)
    engine = ROOT / "plugins/module_utils"
    wirespeed = tools / "wirespeed"
    start = "import sys; from wirespeed.cli import main; sys.exit(main(sys.argv[1:]))"
    words = shlex.join([sys.executable, "-c", start])
    wirespeed.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(engine))} exec {words} "$@"\n', encoding="utf-8")
    wirespeed.chmod(0o755)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kept = {key: value for key, value in os.environ.items() if key in ("WIRESPEED_CACHE", "LANG", "TERM")}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": cache,
        "LC_ALL": "C.UTF-8",
        "PATH": f"{tools}:{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "COLUMNS": "120",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def follow(path: Path, start: Path, home: Path) -> None:
    """``start``: the folder that the reader is in at first. AssertionError names the first line that is not so."""
    with Shell(start, environment(home)) as shell:
        for block in page.blocks(path):
            if block.title and block.language != "console":
                target = shell.folder / block.title
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.text, encoding="utf-8")
            elif "run" in block.words:
                _run(shell, page.commands(block))


def _run(shell: Shell, commands: List[page.Command]) -> None:
    followed_by = [*commands[1:], None]
    for command, after in zip(commands, followed_by):
        code, said = shell.run(command.text)
        judged_by_reader = after is not None and after.text == ASKS_FOR_THE_CODE
        assert code == 0 or judged_by_reader, (
            f"{command.place}: `{command.text}` failed with exit code {code}:\n{said[-TOLD:]}"
        )
        if command.shown is not None:
            difference = shown.differs(command.shown, said)
            assert not difference, f"{command.place}: `{command.text}` says otherwise:\n{difference[-TOLD:]}"
