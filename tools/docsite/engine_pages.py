# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages from the engine itself: the command line, and the counters of each driver in one table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import yaml

from wirespeed import cli
from wirespeed.counters.table import MEANING, Counter, CounterTable, parse
from wirespeed.errors import Place

from .markup import table

WIDTH = 100
PROFILES = Path(cli.__file__).parent / "profiles"


def command_line() -> str:
    lines = [
        "# The command `wirespeed`",
        "",
        "Exit codes of all verbs: 0 as wanted, 1 an error (nothing is left half done), 2 the node is not as wanted.",
        "",
    ]
    for name, parser in verbs():
        lines += [f"## {name}", "", "```text", help_of(parser), "```", ""]
    return "\n".join(lines)


def verbs() -> Iterator[Tuple[str, argparse.ArgumentParser]]:
    """Every verb, and the actions of those that have some, by the words that call them."""
    yield from _below(cli._parser())


def _below(parser: argparse.ArgumentParser) -> Iterator[Tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield child.prog, child
                yield from _below(child)


def help_of(parser: argparse.ArgumentParser) -> str:
    before = parser.formatter_class

    def wide(prog: str) -> argparse.HelpFormatter:
        return before(prog, width=WIDTH)

    parser.formatter_class = wide  # type: ignore[assignment]
    try:
        return parser.format_help().strip()
    finally:
        parser.formatter_class = before


def counter_names() -> str:
    known = {path.stem: _table(path.stem) for path in sorted(PROFILES.glob("*.yml"))}
    lines = [
        "# Unified counters",
        "",
        "The words of every report, and which drivers tell them. What each is made of, driver by driver:",
        "[counters](counters.md#which-raw-counters-by-driver). A word that a driver does not tell is absent, not zero.",
        "",
    ]
    return "\n".join(
        [*lines, *table(["word", "meaning", "told by", "not told by"], [_row(each, known) for each in Counter])]
    )


def _row(counter: Counter, known: Dict[str, CounterTable]) -> List[str]:
    told = [name for name, each in known.items() if counter in each.entries and each.entries[counter].alternatives]
    silent = [name for name in known if name not in told]
    return [f"`{counter.value}`", MEANING[counter], ", ".join(told) or "none", ", ".join(silent) or "none"]


def _table(driver: str) -> CounterTable:
    data: Dict[str, Any] = {}
    for name in dict.fromkeys(("generic", driver)):
        data.update(yaml.safe_load((PROFILES / f"{name}.yml").read_text(encoding="utf-8"))["counters"])
    return parse(data, Place(f"{driver}.yml"))
