# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs ``restore`` and ``uninstall`` of the command line: a node's life without a control node."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
from typing import Any, Callable, Dict, List

from . import stored as states
from .engine import require_root
from .pipeline.pins import Paths
from .plain import plain
from .restore import restore
from .uninstall import uninstall

OK, ERROR = 0, 1
PATIENCE = 30.0
"""Seconds. Firmware of big NICs takes up to 20 s to answer after a reset, while udev waits for none of them."""

Verb = Callable[[Any, str, Any, str], argparse.ArgumentParser]


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    restoring = verb(verbs, "restore", _restore, "bring the node back to what runs on it have asked so far, as at boot")
    restoring.add_argument(
        "--wait",
        type=_seconds,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"how long to wait for NICs that are not there yet ({PATIENCE:.0f})",
    )
    restoring.add_argument(
        "--up",
        action="store_true",
        help="also wait until they are up: drivers take some settings only then, and forget others by it",
    )
    removing = verb(verbs, "uninstall", _uninstall, "take all programs, pins and files of Wirespeed off this node")
    removing.add_argument("--keep-state", action="store_true", help="keep what a restore would bring back")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return seconds


def _restore(options: argparse.Namespace) -> int:
    require_root()
    paths = Paths.from_environment()
    stored = states.read(paths)
    if stored is None or not (stored.nics or stored.pipelines):
        data: Dict[str, Any] = {"stored": False, "changed": False}
        _print(options, data, [f"Nothing to restore: no run has stored anything in {states.path(paths)}."])
        return OK
    done = restore(paths, stored, options.wait, options.up)
    data = {"stored": True, "changed": bool(done.steps), **plain(done)}
    lines = [f"  {number:2}. {step['text']}" for number, step in enumerate(done.steps, 1)]
    lines += [f"warning: {warning}" for warning in done.warnings]
    lines += [f"missing: {name} did not come within {options.wait:g} s." for name in done.missing]
    lines += [f"failed: {problem}" for problem in done.failed]
    if done.whole and not done.steps:
        lines.append("Nothing to do: the node is as stored.")
    _print(options, data, lines)
    return OK if done.whole else ERROR


def _uninstall(options: argparse.Namespace) -> int:
    require_root()
    removed = uninstall(Paths.from_environment(), options.keep_state)
    lines = [f"{nic}: the program is off." for nic in removed.detached]
    lines += [f"{pipeline}: unloaded." for pipeline in removed.pipelines]
    lines += [f"{path}: removed." for path in removed.files]
    lines += removed.notes
    lines.append("NIC settings stay as they are." if removed.changed else "Nothing of Wirespeed is on this node.")
    _print(options, {"changed": removed.changed, **plain(removed)}, lines)
    return OK


def _print(options: argparse.Namespace, data: Dict[str, Any], lines: List[str]) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else "\n".join(lines))
