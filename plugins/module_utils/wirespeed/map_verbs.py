# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``maps`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import itertools
import json
from contextlib import closing
from typing import Any, List, Mapping, Optional

from . import map_engine
from .profile_verbs import Verb

OK, DIFFERS = 0, 2
WINDOW = 1.0
"""Seconds between two readings that give rates, where nobody says."""

_COLUMNS = ("map", "type", "entries", "of", "in/s", "out/s", "expired", "full in", "level")
_WIDTHS = (20, 17, 10, 10, 9, 9, 9, 9, 8)
_SHOWN_SHARES = 5


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verb(
        verbs, "maps", _maps, "how full the maps of live pipelines are and what comes and goes; exit code 2 if too full"
    )
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="only of this one; without it, of all")
    parser.add_argument(
        "--watch", type=_seconds, metavar="SECONDS", help="again and again, with rates over that time; ends by Ctrl-C"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 86400")
    return seconds


def _maps(options: argparse.Namespace) -> int:
    healthy = True
    try:
        with closing(map_engine.watched(options.pipeline, options.watch or WINDOW)) as found:
            for data in found if options.watch else itertools.islice(found, 1):
                healthy = data["healthy"]
                _print(options, data)
    except KeyboardInterrupt:
        pass
    return OK if healthy else DIFFERS


def _print(options: argparse.Namespace, data: Mapping[str, Any]) -> None:
    """With ``--watch`` at once, and JSON on one line."""
    indent = None if options.watch else 2
    print(json.dumps(data, indent=indent, sort_keys=True) if options.json else table(data), flush=True)


def table(data: Mapping[str, Any]) -> str:
    lines: List[str] = []
    pipeline = None
    for each in data["maps"]:
        if each["pipeline"] != pipeline:
            pipeline = each["pipeline"]
            lines += [f"{pipeline}:", _row(_COLUMNS)]
        lines += _map(each)
    return "\n".join(lines) or "No pipeline runs here."


def _map(use: Mapping[str, Any]) -> List[str]:
    rates = [_rate(use["inserted_per_s"]), _rate(use["removed_per_s"])]
    shown = [use["name"], use["type"], _count(use["entries"]), _count(use["max_entries"]), *rates]
    lines = [
        _row(
            [
                *shown,
                "-" if use["expired"] is None else _count(use["expired"]),
                _duration(use["full_in_s"]),
                use["level"],
            ]
        )
    ]
    if use["why"]:
        lines.append(f"    {use['why']}")
    if use["update_failures"]:
        lines.append(f"    {use['update_failures']} entries found no room so far")
    if use["shares"]:
        biggest = list(use["shares"].items())[:_SHOWN_SHARES]
        lines.append("    " + ", ".join(f"{use['share_of']} {owner}: {count}" for owner, count in biggest))
    return lines


def _row(cells: Any) -> str:
    left, right = list(zip(cells, _WIDTHS))[:2], list(zip(cells, _WIDTHS))[2:-1]
    padded = [f"{cell:<{width}}" for cell, width in left] + [f"{cell:>{width}}" for cell, width in right]
    return "  " + " ".join([*padded, str(cells[-1])])


def _count(number: Optional[int]) -> str:
    return "?" if number is None else str(number)


def _rate(number: Optional[float]) -> str:
    return "-" if number is None else f"{number:.1f}"


def _duration(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
