# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that stays on a node with the engine imported, and is told what to do: a run costs what the engine costs,
not an ansible-playbook over SSH and an import under emulation."""

from __future__ import annotations

import compileall
import contextlib
import functools
import io
import json
import py_compile
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Dict

import wirespeed

from .errors import LabError
from .node import Node

_ENGINE = Path(wirespeed.__file__).parent
_THERE = "/root/engine"


@functools.cache
def _packed() -> bytes:
    """The engine and the agents as a tar file, with bytecode for a guest whose Python is this one's version.

    A Python of another version passes the bytecode over and compiles by itself, which takes some ten seconds there.
    """
    with tempfile.TemporaryDirectory(prefix="wirespeed-agent-") as scratch:
        tree = Path(scratch)
        shutil.copytree(_ENGINE, tree / "wirespeed", ignore=shutil.ignore_patterns("__pycache__"))
        for script in Path(__file__).parent.glob("*_agent.py"):
            shutil.copy(script, tree)
        compileall.compile_dir(
            tree, quiet=2, stripdir=scratch, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            archive.add(tree, arcname=".")
        return packed.getvalue()


def install(node: Node) -> None:
    """The engine in /root/engine of a node."""
    unpack = f"rm -rf {_THERE} && mkdir {_THERE} && tar -xzf - -C {_THERE}"
    done = subprocess.run(node.remote.command(unpack), input=_packed(), check=False, capture_output=True)
    if done.returncode:
        raise LabError(f"The engine cannot be unpacked on node {node.name}: {done.stderr.decode().strip()}")


class Agent:
    """``script``: a file of this directory; it answers each line of its input with one line of JSON."""

    def __init__(self, node: Node, script: str) -> None:
        self.node = node
        install(node)
        command = node.remote.command(f"PYTHONPATH={_THERE} python3 {_THERE}/{script}")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: object) -> Dict[str, Any]:
        """A line of words."""
        return self._exchange(" ".join(str(word) for word in words))

    def request(self, **fields: Any) -> Dict[str, Any]:
        """A line of JSON."""
        return self._exchange(json.dumps(fields))

    def _exchange(self, line: str) -> Dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the agent on the node died; its last words are on standard error"
        told: Dict[str, Any] = json.loads(answer)
        return told

    def close(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=30)
