# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded ``ethtool -S`` in the unified vocabulary, by the profile of its driver; two of them as what happened in
between. Touches no kernel and needs no root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .counters import recorded, totals, whose
from .counters.recorded import Recorded
from .counters.report import aligned, by_reason
from .counters.sandwich import Sandwich, Window, window
from .counters.table import CounterTable, parse
from .counters.unify import UnifiedCounters, unify
from .errors import BadInput, Place
from .model.intent import NicIntent
from .model.node import Node
from .profiles import match
from .profiles.document import ProfileSet
from .profiles.merge import merge
from .unseen import nic

_SHOWN = 12


@dataclass(frozen=True)
class Explained:
    """``rather`` are drivers whose names they are, where they are not of ``driver``; ``unread`` the counters that are
    not zero and that the profile does not speak of."""

    driver: str
    kernel: str
    recording: Recorded
    counters: UnifiedCounters
    rather: Tuple[str, ...]
    unread: Tuple[str, ...]
    grown: Optional[Window] = None

    @property
    def notes(self) -> List[str]:
        """What a reader should know before believing the figures."""
        found = []
        if self.rather:
            which = " or ".join(self.rather)
            found.append(f"these are not names of {self.driver}, but of {which}: say --driver {self.rather[0]}")
        for number, text in self.recording.strange[:_SHOWN]:
            found.append(f"line {number} is no counter: {text[:80]!r}")
        if len(self.recording.strange) > _SHOWN:
            found.append(f"and {len(self.recording.strange) - _SHOWN} more lines are none")
        return found + [f"no growth can be told: {reason}" for reason in (self.grown.invalid if self.grown else ())]

    def to_json(self) -> Dict[str, Any]:
        """``counters`` as of the module ``counters_info``; ``grown`` by counter, null where it cannot be told."""
        told = totals.to_json("", self.driver, self.counters)
        grown = self.grown and {counter.value: span.high for counter, span in self.grown.spans.items()}
        return {
            "driver": self.driver,
            "kernel": self.kernel,
            "counters": told["counters"],
            "grown": grown,
            "notes": self.notes,
            "unread": list(self.unread),
        }

    def lines(self) -> List[str]:
        rows = []
        for counter, reading in self.counters.readings.items():
            if reading.value is None or reading.way is None:
                continue
            signed = dict.fromkeys((part.sign, part.name.partition(":")[2]) for part in reading.parts)
            raw = " ".join(f"{'+' if sign > 0 else '-'} {name}" for sign, name in signed)[2:]
            known = f"{reading.way.scope.value}, {reading.way.confidence.value}"
            grown = [_grown(self.grown, counter)] if self.grown else []
            rows.append([counter.value, str(reading.value), *grown, known, raw])
        silent = {name.value: each.why for name, each in self.counters.readings.items() if each.value is None}
        text = [f"{self.driver}, kernel {self.kernel}", *aligned(rows), *by_reason("not told", silent)]
        if self.unread:
            more = f" and {len(self.unread) - _SHOWN} more" if len(self.unread) > _SHOWN else ""
            text.append(f"  not zero, and not in the profile: {', '.join(self.unread[:_SHOWN])}{more}")
        return text + [f"NOTE: {note}" for note in self.notes]


def explain(profiles: ProfileSet, driver: str, node: Node, after: Recorded, before: Optional[Recorded]) -> Explained:
    """Of ``after``, and what grew since ``before``. Raises :class:`BadInput` for a driver that no profile is for."""
    tables = {name: _table(profiles, name, node) for name in drivers(profiles)}
    found = whose.scores(tables, after.raw)
    if driver not in tables:
        likely = [name for name, count in found.items() if count][:3]
        problem = f"{driver!r} has no profile." if driver else "is not given."
        remedy = f"These names are most like those of {' or '.join(likely)}. " if likely else ""
        raise BadInput(Place("command line"), "--driver", problem, f"{remedy}There are: {', '.join(sorted(tables))}.")
    now = unify(tables[driver], after.raw, node.kernel.version)
    then = unify(tables[driver], before.raw, node.kernel.version) if before else None
    return Explained(
        driver,
        node.kernel.release,
        after,
        now,
        tuple(whose.rather(driver, found)),
        tuple(whose.unread(tables[driver], after.raw)),
        window(Sandwich(then, then, None), Sandwich(now, now, None)) if then else None,
    )


def drivers(profiles: ProfileSet) -> List[str]:
    """Those that profiles name."""
    matches = (document.data["match"] for document in profiles.documents)
    named = (each["driver"] for each in matches if isinstance(each, Mapping) and "driver" in each)
    return sorted({name for each in named for name in match.as_list(each)})


def read(path: Path) -> Recorded:
    """Raises :class:`BadInput` for a file that is none, has too much in it or has no counters."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(recorded.MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.") from None
    if len(data) > recorded.MAX_BYTES:
        raise BadInput(Place(str(path)), "", f"has more than {recorded.MAX_BYTES >> 20} MiB, so it is no `ethtool -S`.")
    found = recorded.parse(data.decode("utf-8", "replace"))
    if not found.ethtool:
        raise BadInput(Place(str(path)), "", "has no counters.", "Give what `ethtool -S NIC` printed.")
    return found


def _table(profiles: ProfileSet, driver: str, node: Node) -> CounterTable:
    merged = merge(match.select(profiles, nic(driver), node, None), NicIntent("name", "").workload.value)
    return parse({name: entry.value for name, entry in merged.section("counters").items()}, Place(f"profile {driver}"))


def _grown(grown: Window, counter: Any) -> str:
    span = grown.spans[counter]
    return "?" if span.high is None else f"+{span.high}"
