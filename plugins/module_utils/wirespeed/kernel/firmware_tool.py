# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor's tool for firmware (non-volatile) settings can do, and how any such tool is run.

The kernel has no interface to most of these settings, so the vendor's own program is asked: without a
shell, without a terminal to ask back, and not for longer than it may take.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Protocol, Sequence, Tuple

from ..errors import NotSupported, ToolFailed
from ..model.settings import Value

TIMEOUT_SECONDS = 120.0
"""A tool that reads every parameter of a card takes 10 to 20 s (mstflint, mlxcfg_ui.cpp setDevCfgWithDefault)."""


@dataclass(frozen=True)
class Parameter:
    """One setting: ``after_reset`` is what the device takes up at its next reset, ``running`` what it works with.

    ``running`` and ``default`` are None where the device does not tell.
    """

    after_reset: Value
    running: Optional[Value] = None
    default: Optional[Value] = None
    read_only: bool = False


class FirmwareTool(Protocol):
    """``address`` is the PCI function's, ``0000:01:00.0``.

    All raise :class:`ToolFailed` with what the tool said, and :class:`NotSupported` where it is not installed.
    """

    def query(self, address: str, keys: Sequence[str]) -> Dict[str, Parameter]:
        """Those of ``keys`` that this device has; everything it has for no keys."""

    def words(self, address: str) -> Mapping[str, Tuple[str, ...]]:
        """The words that a parameter can take, for those that take words."""

    def write(self, address: str, values: Mapping[str, Value]) -> None:
        """In force only after the next reset of the device, which this never does."""


def run(names: Sequence[str], package: str, arguments: Sequence[str]) -> str:
    """The output of the first of the programs ``names`` that is installed. Raises as :class:`FirmwareTool` says."""
    program = next((found for found in map(shutil.which, names) if found), None)
    if program is None:
        raise NotSupported(f"{names[0]} (not installed; Debian has it in the package {package})")
    call = " ".join([os.path.basename(program), *arguments])
    try:
        # A list of arguments, each checked or made by us. The engine knows no AnsibleModule and its run_command.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed(call, f"gave no answer in {TIMEOUT_SECONDS:.0f} s and was stopped") from None
    except OSError as error:
        raise ToolFailed(call, f"could not be run: {error.strerror}") from None
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise ToolFailed(call, f"ended with code {done.returncode}", _said(output, done.stderr))
    return output


def _said(output: str, errors: bytes) -> str:
    """The lines that tell what went wrong: those marked ``-E-``, else the last one of either stream."""
    lines = [line.strip() for line in (*output.splitlines(), *errors.decode("utf-8", "replace").splitlines())]
    lines = [line for line in lines if line]
    marked = [line[3:].strip() for line in lines if line.startswith("-E-")]
    return "; ".join(marked or lines[-1:])
