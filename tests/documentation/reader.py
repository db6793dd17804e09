# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a page from the top, writes the files that it shows and runs the commands that it says to run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, List, Mapping

from tests.netns_node import node

from . import page, shown
from .shell import Shell

ROOT = Path(__file__).resolve().parents[2]
ASKS_FOR_THE_CODE = "echo $?"
NAMES = re.compile(r'NAMES=("[^"]*"|\S+)')
TOLD = 2500  # characters of what a failed command said


def runs(path: Path) -> bool:
    return any("run" in block.words for block in page.blocks(path))


WIRESPEED = """\
#!{python} -B
import sys
from wirespeed.cli import main
sys.exit(main(sys.argv[1:]))
"""
PACKAGES = "usr/lib/python3/dist-packages"
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENGINE = ROOT / "plugins/module_utils/wirespeed"
HEADERS = ROOT / "bpf/include"


def at_home(home: Path) -> Shell:
    """A reader's shell on this machine, in the clone: a home without settings, the caches that are there already."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kept = {key: value for key, value in os.environ.items() if key in ("WIRESPEED_CACHE", "TERM")}
    path = f"{Path(sys.executable).parent}:{SYSTEM}"
    return Shell(str(ROOT), {**kept, **_settings(str(home), path), "XDG_CACHE_HOME": cache})


def in_the_clone(path: Path) -> bool:
    """Whether the page has its reader start there: only there is anything to make."""
    return any(each.text.startswith("make ") for each in _all_commands(path))


def nodes_of(path: Path) -> List[str]:
    """The nodes that the page has its reader start."""
    texts = [each.text for each in _all_commands(path) if "netns-up" in each.text]
    return [name for text in texts for found in NAMES.findall(text) for name in found.strip('"').split()]


def _all_commands(path: Path) -> List[page.Command]:
    found = (block for block in page.blocks(path) if "run" in block.words)
    return [command for block in found for command in page.commands(block)]


@contextlib.contextmanager
def no_nodes_left(path: Path) -> Iterator[None]:
    """Whatever the page comes to, its nodes go. AssertionError where it does not take them down itself."""
    names = nodes_of(path)
    assert not any(node.load(name).leftovers() for name in names), f"nodes of these names are up already: {names}"
    try:
        yield
        assert [phrase for name in names for phrase in node.load(name).leftovers()] == []
    finally:
        for name in names:
            node.load(name).down()


@contextlib.contextmanager
def on_a_node(name: str, files: Mapping[Path, str] = {}) -> Iterator[Shell]:
    """A shell of root on a node of its own, in an empty folder, with ``wirespeed`` installed and the SDK's headers.

    ``files`` of this machine are there too, under the paths that they are given.
    """
    with node.node(name) as made:
        root = Path(f"/proc/{made.init}/root")
        shutil.rmtree(root / PACKAGES / "wirespeed", ignore_errors=True)  # what this machine itself may have
        shutil.copytree(ENGINE, root / PACKAGES / "wirespeed", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(HEADERS, root / "usr/local/include/wirespeed")
        command = root / "usr/local/bin/wirespeed"
        command.write_text(WIRESPEED.format(python=node.PYTHON), encoding="utf-8")
        command.chmod(0o755)
        for file, there in files.items():
            shutil.copyfile(file, root / there)
        (root / "root/work").mkdir()
        enter = ["nsenter", "--target", str(made.init), "--mount", "--net", "--pid", "--uts", "--"]
        with Shell("/root/work", _settings("/root", SYSTEM), enter) as shell:
            yield shell


def _settings(home: str, path: str) -> Dict[str, str]:
    return {"HOME": home, "PATH": path, "LC_ALL": "C.UTF-8", "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1"}


@contextlib.contextmanager
def begun(begin: Callable[[str], ContextManager[Shell]]) -> Iterator[Callable[[str], Shell]]:
    """The shell of each state by its name, begun when it is first asked for; all of them end with the page."""
    with contextlib.ExitStack() as stack:
        shells: Dict[str, Shell] = {}

        def where(name: str) -> Shell:
            if name not in shells:
                shells[name] = stack.enter_context(begin(name))
            return shells[name]

        yield where


def follow(path: Path, where: Callable[[str], Shell]) -> None:
    """``where`` has the shell of each state that a fence names. AssertionError names the first line that is not so.

    A file is written where the next command runs.
    """
    written = []
    for block in page.blocks(path):
        if block.title and block.language != "console":
            written.append(block)
        elif "run" in block.words:
            shell = where(block.words.get("on", ""))
            for file in written:
                shell.write(str(file.title), file.text)
            written = []
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
