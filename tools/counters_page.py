# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the per-driver part of docs/counters.md from the profiles' counter tables.

counters_page.py           write it
counters_page.py --check   exit code 1 if the page is not what the tables say
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "counters.md"
PROFILES = ROOT / "plugins/module_utils/wirespeed/profiles"
sys.path.insert(0, str(ROOT / "plugins/module_utils"))

from wirespeed.counters.table import Alternative, CounterTable, RawName, Source, parse  # noqa: E402
from wirespeed.errors import Place  # noqa: E402

FIRST = "### generic\n"


def page() -> str:
    """The page with its driver sections made anew; what stands before them is written by hand."""
    by_hand = PAGE.read_text(encoding="utf-8").partition(FIRST)[0]
    drivers = ["generic", *sorted(path.stem for path in PROFILES.glob("*.yml") if path.stem != "generic")]
    return by_hand + "\n".join(section(driver, _table(driver)) for driver in drivers)


def _table(driver: str) -> CounterTable:
    data: Dict[str, Any] = {}
    for name in dict.fromkeys(("generic", driver)):
        data.update(yaml.safe_load((PROFILES / f"{name}.yml").read_text(encoding="utf-8"))["counters"])
    return parse(data, Place(f"{driver}.yml"))


def section(driver: str, table: CounterTable) -> str:
    lines = [f"### {driver}", "", "| counter | raw counters | scope | confidence |", "| --- | --- | --- | --- |"]
    for counter, entry in table.entries.items():
        lines += [
            f"| {counter.value} | {_raw(way)} | {way.scope.value} | {way.confidence.value} |"
            for way in entry.alternatives
        ]
    return "\n".join([*lines, *_not_told(table)]) + "\n"


def _raw(way: Alternative) -> str:
    text = " + ".join(_name(name) for name in way.plus) + "".join(f" - {_name(name)}" for name in way.minus)
    return f"{text} (kernel {way.kernel.text})" if way.kernel.text else text


def _name(name: RawName) -> str:
    prefix = "" if name.source is Source.ETHTOOL_S else f"{name.source.value}:"
    return f"`{prefix}{name.name}`"


def _not_told(table: CounterTable) -> Iterator[str]:
    reasons: Dict[str, List[str]] = {}
    for counter, entry in table.entries.items():
        if entry.absent:
            kind = "Not told otherwise" if entry.alternatives else "Not told"
            reasons.setdefault(f"{kind}\n{entry.absent}", []).append(counter.value)
    for key, counters in reasons.items():
        kind, _newline, reason = key.partition("\n")
        yield from ("", f"{kind}: {', '.join(counters)} ({reason}).")


def main() -> int:
    made = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if made == PAGE.read_text(encoding="utf-8"):
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what the profiles say. Run {Path(__file__).relative_to(ROOT)}.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
