# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on counters of the command line: over a window on this node, or out of what somebody recorded."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Callable, Dict

from . import explained, show, unseen
from .errors import BadInput, Place
from .gather import BUILT_IN_PROFILES, site_profiles
from .profile_verbs import Verb
from .profiles.load import load

COMMAND_LINE = Place("command line")
STANDARD_INPUT = Path("/dev/stdin")
OK, DIFFERS = 0, 2

Count = Callable[[argparse.Namespace], Dict[str, Any]]


def add(verbs: Any, verb: Verb, count: Count) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have; ``count`` counts over a window here."""
    parser = verb(verbs, "counters", lambda options: _counters(options, count), "unified NIC and XDP counters")
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    checking = verb(
        actions, "check", lambda options: _check(options, count), "whether they add up; exit code 2 if they do not"
    )
    for counting in (parser, checking):
        counting.add_argument("-f", "--file", metavar="INTENT", help="the intent, a YAML file")
        with_window(counting)
    explaining = verb(actions, "explain", _explain, "what a recorded 'ethtool -S' says; needs no node and no root")
    explaining.add_argument("recording", nargs="?", metavar="FILE", help="its text; standard input if left out")
    explaining.add_argument("--driver", default="", help="of the NIC that it was recorded from")
    explaining.add_argument("--kernel", metavar="VERSION", help="that it ran, 6.12 for instance; else this machine's")
    explaining.add_argument("--before", metavar="FILE", help="an earlier recording: also tell what grew since")


def with_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--window", type=float, default=2.0, metavar="SECONDS", help="how long to count (2)")
    parser.add_argument("--min-packets", type=int, default=0, metavar="N", help="end the window early at N packets")


def _counters(options: argparse.Namespace, count: Count) -> int:
    _count(options, count)
    return OK


def _check(options: argparse.Namespace, count: Count) -> int:
    return DIFFERS if _count(options, count)["findings"] else OK


def _count(options: argparse.Namespace, count: Count) -> Dict[str, Any]:
    if not options.file:
        raise BadInput(COMMAND_LINE, "-f", "is not given.", "Name the intent: its NICs and pipelines are counted.")
    found = count(options)
    print(json.dumps(found, indent=2, sort_keys=True) if options.json else show.counters(found))
    return found


def _explain(options: argparse.Namespace) -> int:
    profiles = load([BUILT_IN_PROFILES, *site_profiles(options.profiles_path)])
    after = explained.read(Path(options.recording) if options.recording else STANDARD_INPUT)
    before = explained.read(Path(options.before)) if options.before else None
    found = explained.explain(profiles, options.driver, unseen.node(options.kernel), after, before)
    print(json.dumps(found.to_json(), indent=2, sort_keys=True) if options.json else "\n".join(found.lines()))
    return OK
