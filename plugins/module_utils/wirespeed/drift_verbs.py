# SPDX-License-Identifier: GPL-3.0-or-later
"""``drift`` of the command line: a report of this node, or of reports that nodes or a fleet's run have written."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

from . import __version__, drift_engine
from .drift import document, lines, written
from .drift.document import Host, State
from .drift.fleet import Report, of_hosts
from .errors import BadInput, Place, WirespeedError
from .gather import gather, pipelines_of, site_profiles
from .intent_file import read_intent
from .model.intent import parse
from .profile_verbs import Verb

CLEAN, ERROR, DRIFT = 0, 1, 2
STDOUT = "-"


def add(verbs: Any, verb: Verb) -> None:
    drift = verb(
        verbs, "drift", _drift, "what is not as it should be; exit code 2 for drift, 1 where it cannot be told"
    )
    drift.add_argument("--json", metavar="FILE", help="write the report as JSON, to - for standard output")
    source = drift.add_mutually_exclusive_group(required=True)
    source.add_argument("-f", "--file", metavar="INTENT", help="of this node against this intent, a YAML file")
    source.add_argument(
        "--from", dest="reports", nargs="+", metavar="REPORT", help="of the hosts in these JSON reports, all in one"
    )
    drift.add_argument("--html", metavar="FILE", help="also write the report as one page for people")


def _drift(options: argparse.Namespace) -> int:
    report = _read(options.reports) if options.reports else of_hosts(_now(), __version__, [_this_node(options)])
    if options.json == STDOUT:
        sys.stdout.writelines(written.json_pieces(report))
    else:
        if options.json:
            written.write_json(Path(options.json), report)
        print("\n".join(lines.lines(report)))
    if options.html:
        written.write_page(Path(options.html), report)
    return _code(report)


def _code(report: Report) -> int:
    if report.incomplete:
        return ERROR
    return DRIFT if report.drift else CLEAN


def _this_node(options: argparse.Namespace) -> Host:
    """A mistake in a file is the user's; all else that stands against the look is what the report tells."""
    name = os.uname().nodename
    intent = read_intent(options.file)
    with intent.locating():
        parse(intent.data, Place(intent.path))
        folder = Path(intent.path).resolve().parent
        bundle = gather(pipelines_of(intent.data), site_profiles(options.profiles_path), folder)
    try:
        with intent.locating():
            result = drift_engine.look(intent.data, bundle, intent.path)
    except WirespeedError as error:
        found = document.compared(name, {"outcome": getattr(error, "outcome", None)})
        state = State.UNSUPPORTED if error.unsupported else State.FAILED
        return found or document.not_compared(name, state, str(error))
    found = document.compared(name, result)
    if found is None:  # not reached: a look that ends has compared
        raise WirespeedError(f"{name} was not compared.")
    return found


def _read(reports: Sequence[str]) -> Report:
    """As old as the oldest of them. Raises :class:`BadInput` for a host that is in two: which one counts is not ours
    to say."""
    hosts: List[Host] = []
    made: List[str] = []
    seen: Dict[str, str] = {}
    for path in reports:
        found = written.read(path)
        made.append(found["made_at"])
        for host in found["hosts"]:
            name = host["host"]
            if name in seen:
                raise BadInput(Place(path), "hosts", f"{name!r} is in {seen[name]} too.", "Leave one of them out.")
            seen[name] = path
            hosts.append(host)
    return of_hosts(min(made), __version__, hosts)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
