# SPDX-License-Identifier: GPL-3.0-or-later
"""The group ``tuning`` of the command line: ``history`` and ``rollback`` of the node's settings."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Iterator, Mapping

from . import show, tuning_engine, tuning_history
from .errors import BadInput, Place
from .gather import gather, site_profiles
from .model.tuning_history import TuningChange, TuningHistory
from .pipeline.pins import Paths
from .profile_verbs import Verb

COMMAND_LINE = Place("command line")
OK, DIFFERS = 0, 2


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verbs.add_parser("tuning", help="versions of this node's settings: list them, go back to one")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    verb(actions, "history", _history, "what changed when, with the values before, newest first")
    going = verb(actions, "rollback", _rollback, "go back to an earlier version; XDP programs stay as they are")
    going.add_argument("version", nargs="?", type=int, metavar="VERSION", help="else the one before the last change")
    going.add_argument("--check", action="store_true", help="only say what it would do; exit code 2 if anything")


def _history(options: argparse.Namespace) -> int:
    found = tuning_history.read(Paths.from_environment())
    if options.json:
        told = {"version": found.version, "known": list(found.known), "changes": found.to_json()["changes"]}
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        print("\n".join(listing(found)))
    return OK


def _rollback(options: argparse.Namespace) -> int:
    bundle = gather([], site_profiles(options.profiles_path), Path.cwd())
    try:
        result = tuning_engine.rolled_back(options.version, bundle, options.check)
    except BadInput as mistake:
        if mistake.field != "version":
            raise
        raise BadInput(COMMAND_LINE, "VERSION", mistake.detail, mistake.remedy) from None
    text = show.plan if options.check else show.applied
    print(json.dumps(result, indent=2, sort_keys=True) if options.json else text(result))
    return DIFFERS if options.check and result["changed"] else OK


def listing(history: TuningHistory) -> Iterator[str]:
    """Lines: the version that holds has a star, and each change shows what its settings were before."""
    for change in reversed(history.changes):
        mark = "*" if change.version == history.version else " "
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(change.at))
        back = "" if change.rollback_to is None else f", back to {change.rollback_to}"
        yield f"{mark} {change.version}  {when}{back}"
        yield from (f"       {line}" for line in _before(change))
    if not history.changes:
        yield "No run has changed this node's settings."
    elif history.known[0] == 0:
        yield "  0  as it was found"


def _before(change: TuningChange) -> Iterator[str]:
    for nic, before in change.nics.items():
        values = [f"{setting}.{key} was {_shown(value)}" for setting, key, value in _each(before.values)]
        yield f"{nic}: {', '.join(values) or 'asked for otherwise, nothing to set'}"


def _each(values: Mapping[str, Mapping[str, Any]]) -> Iterator["tuple[str, str, Any]"]:
    for setting, keys in values.items():
        for key, value in keys.items():
            yield setting, key, value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
