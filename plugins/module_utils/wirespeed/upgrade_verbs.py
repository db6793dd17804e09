# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs ``upgrade check`` and ``upgrade compare`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from . import upgrade_engine as engine
from .gather import gather, pipelines_of, site_profiles
from .intent_file import read_intent
from .upgrade import text

OK, DIFFERS = 0, 2

Verb = Callable[[Any, str, Any, str], argparse.ArgumentParser]


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verbs.add_parser("upgrade", help="what another kernel changes for this node, before and after its boot")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    checking = verb(
        actions,
        "check",
        _check,
        "what changes with an installed kernel; exit code 0 nothing, 2 something changes, 1 something breaks",
    )
    checking.add_argument(
        "--to", default="", metavar="RELEASE", help="the kernel, as 'uname -r' will tell it (the newest installed)"
    )
    checking.add_argument("--record", action="store_true", help="keep it on this node for 'upgrade compare'")
    comparing = verb(
        actions, "compare", _compare, "whether this node is as it was foretold; exit code 2 where it is not"
    )
    for each in (checking, comparing):
        each.add_argument(
            "-f", "--file", metavar="INTENT", help="the intent; without it, what runs on this node have asked so far"
        )


def _check(options: argparse.Namespace) -> int:
    data = engine.foretell(_given(options), options.to, engine.KEEP if options.record else engine.LEAVE)
    _print(options, data, text.foretold(data))
    return engine.exit_code(data["severity"])


def _compare(options: argparse.Namespace) -> int:
    data = engine.compared(_given(options))
    _print(options, data, text.compared(data))
    return DIFFERS if data["differences"] or data["left"] else OK


def _given(options: argparse.Namespace) -> Optional[engine.Given]:
    if options.file is None:
        return None
    intent = read_intent(options.file)
    with intent.locating():
        beside = Path(intent.path).resolve().parent
        bundle = gather(pipelines_of(intent.data), site_profiles(options.profiles_path), beside)
    return intent.data, bundle, intent.path


def _print(options: argparse.Namespace, data: Dict[str, Any], lines: List[str]) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else "\n".join(lines))
