# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's monitor: snapshots, carrier, and what else its human monitor does."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Dict

from .errors import LabError


def execute(monitor: Path, command: str, **arguments: Any) -> Any:
    """One QMP command and its answer; LabError with QEMU's words when it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(str(monitor))
        with connection.makefile("rw", encoding="utf-8") as stream:
            stream.readline()  # the greeting
            _ask(stream, "qmp_capabilities", {})
            return _ask(stream, command, arguments)


def human(monitor: Path, line: str) -> str:
    """One line of the human monitor, e.g. `savevm ready` or `set_link n0 off`; LabError when it answers an error."""
    answer = str(execute(monitor, "human-monitor-command", **{"command-line": line})).strip()
    if answer.startswith("Error"):
        raise LabError(f"QEMU refused `{line}`: {answer}")
    return answer


def _ask(stream: Any, command: str, arguments: Dict[str, Any]) -> Any:
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    while True:
        line = stream.readline()
        if not line:
            raise LabError(f"QEMU closed its monitor while it was asked `{command}`.")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"QEMU refused `{command}`: {answer['error'].get('desc')}")
        if "return" in answer:
            return answer["return"]
