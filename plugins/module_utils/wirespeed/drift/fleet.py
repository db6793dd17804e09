# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts of a drift report in the order in which they matter, without holding more than a line of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence, Tuple

from ..model.step import Disruption
from .document import FILTERING, Host, State

SCHEMA = 1
NAME = "wirespeed drift"


@dataclass(frozen=True)
class Entry:
    """What the report's order and overview need of a host. ``kinds`` counts deviations by kind; ``worst`` is what
    repairing all of them costs at least, None where something has no repair."""

    host: str
    state: State
    reason: str
    kernel: str
    drivers: Tuple[str, ...]
    profiles: Tuple[str, ...]
    kinds: Mapping[str, int]
    worst: Optional[Disruption]
    unsupported: int

    @property
    def deviations(self) -> int:
        return sum(self.kinds.values())

    @property
    def filtering(self) -> int:
        """Deviations that change what becomes of packets."""
        return sum(count for kind, count in self.kinds.items() if kind in FILTERING)


@dataclass(frozen=True)
class Report:
    """``entries`` worst first; ``read`` gives the whole of a host by its name. ``made_at`` is UTC, as ISO 8601."""

    made_at: str
    version: str
    entries: Sequence[Entry]
    read: Callable[[str], Host]

    def head(self) -> Dict[str, Any]:
        """The document without its hosts."""
        counts = {state.value: sum(entry.state is state for entry in self.entries) for state in State}
        summary = {"hosts": len(self.entries), **counts, "deviations": sum(entry.deviations for entry in self.entries)}
        return {
            "report": NAME,
            "schema": SCHEMA,
            "made_at": self.made_at,
            "wirespeed": self.version,
            "summary": summary,
        }

    @property
    def incomplete(self) -> bool:
        """Whether of some host it cannot be said that it is as it should be, or what it lacks."""
        return any(entry.state not in (State.CLEAN, State.DRIFT) for entry in self.entries)

    @property
    def drift(self) -> bool:
        return any(entry.state is State.DRIFT for entry in self.entries)


def report(made_at: str, version: str, hosts: Iterable[Host], read: Callable[[str], Host]) -> Report:
    return Report(made_at, version, sorted(map(entry, hosts), key=_rank), read)


def of_hosts(made_at: str, version: str, hosts: Iterable[Host]) -> Report:
    """Of hosts that are all in memory; of two with one name the later counts."""
    known = {host["host"]: host for host in hosts}
    return report(made_at, version, known.values(), known.__getitem__)


def entry(host: Host) -> Entry:
    kinds: Dict[str, int] = {}
    for deviation in host["deviations"]:
        kinds[deviation["kind"]] = kinds.get(deviation["kind"], 0) + 1
    costs = [deviation["disruption"] for deviation in host["deviations"]]
    known = [Disruption(cost) for cost in costs if cost is not None]
    return Entry(
        host=host["host"],
        state=State(host["state"]),
        reason=host["reason"],
        kernel=host["kernel"],
        drivers=_distinct(nic["driver"] for nic in host["nics"]),
        profiles=_distinct(" + ".join(nic["profile"]) for nic in host["nics"]),
        kinds=kinds,
        worst=None if None in costs else max(known, key=lambda each: each.rank, default=Disruption.NONE),
        unsupported=len(host["unsupported"]),
    )


_ORDER = (State.DRIFT, State.FAILED, State.UNREACHABLE, State.UNSUPPORTED, State.CLEAN)


def _rank(each: Entry) -> Tuple[int, int, int, int, str]:
    """Whoever filters otherwise than asked comes first, then what cannot be repaired, then by number."""
    return (_ORDER.index(each.state), -each.filtering, -int(each.worst is None), -each.deviations, each.host)


def _distinct(words: Iterable[str]) -> Tuple[str, ...]:
    return tuple(sorted({word for word in words if word}))
