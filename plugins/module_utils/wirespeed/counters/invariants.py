# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold between NIC counters and verdicts over one window. Each invariant is data. Pure.

A side is a sum of terms. A term that is absent makes the invariant inapplicable, unless it is
optional: then it takes part as "not told", and a gap that it might explain is reported with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple

from .table import Counter
from .verdicts import TOTAL


class Of(str, Enum):
    """Whose number a term is."""

    NIC = "nic"
    VERDICT = "verdict"
    CALLER = "caller"


class Relation(str, Enum):
    EQUAL = "=="
    AT_LEAST = ">="
    AT_MOST = "<="


class Slack(str, Enum):
    """Frames that are under way when an end of the window has traffic; none when it is quiet.

    ``poll``: judged, not yet counted by the driver. ``ring``: counted by the NIC, still in a ring.
    """

    NONE = "none"
    POLL = "poll"
    RING = "ring"


class When(str, Enum):
    """Conditions on the window, see :mod:`.judge`.

    ``exact``: no frame was forwarded, or the counter on the left does not mix failed TX or redirects in.
    """

    NATIVE = "native"
    ATTACHED = "attached"
    DRIVER_COUNTS_XDP = "driver_counts_xdp"
    DROP_FOLDS_ABORTED = "drop_folds_aborted"
    DROP_APART = "drop_apart"
    EXACT = "exact"
    INEXACT = "inexact"


@dataclass(frozen=True)
class Term:
    """``inside``: a host drop counts only where it is (True) or is not (False) part of driver_packets."""

    of: Of
    name: str
    optional: bool = False
    inside: Optional[bool] = None

    def __str__(self) -> str:
        return f"verdict {self.name}" if self.of is Of.VERDICT else self.name


@dataclass(frozen=True)
class Invariant:
    name: str
    left: Tuple[Term, ...]
    relation: Relation
    right: Tuple[Term, ...]
    slack: Slack
    when: Tuple[When, ...]
    meaning: str

    def __str__(self) -> str:
        left, right = (" + ".join(str(term) for term in side) for side in (self.left, self.right))
        return f"{left} {self.relation.value} {right}"


def _nic(counter: Counter, optional: bool = False, inside: Optional[bool] = None) -> Term:
    return Term(Of.NIC, counter.value, optional, inside)


_ALL = Term(Of.VERDICT, TOTAL)
_DROPPED, _ABORTED = Term(Of.VERDICT, "drop"), Term(Of.VERDICT, "aborted")
_PASSED = Term(Of.VERDICT, "pass")
_NIC_DROP = _nic(Counter.NIC_DROP, optional=True)
_HOST_DROP = _nic(Counter.HOST_DROP, optional=True)

INVARIANTS: Tuple[Invariant, ...] = (
    Invariant(
        "every-run-judged", (_nic(Counter.XDP_PACKETS),), Relation.EQUAL, (_ALL,), Slack.POLL, (When.NATIVE,),
        "each frame on which the driver ran a program has one verdict of this pipeline",
    ),
    Invariant(
        "every-frame-judged", (_nic(Counter.DRIVER_PACKETS),), Relation.EQUAL,
        (_ALL, _nic(Counter.HOST_DROP, optional=True, inside=True)), Slack.POLL,
        (When.ATTACHED, When.DRIVER_COUNTS_XDP),
        "each frame that the driver took from its rings has one verdict: nothing passes by the program",
    ),
    Invariant(
        "every-frame-ran", (_nic(Counter.DRIVER_PACKETS),), Relation.EQUAL,
        (_nic(Counter.XDP_PACKETS), _nic(Counter.HOST_DROP, optional=True, inside=True)), Slack.POLL,
        (When.NATIVE, When.DRIVER_COUNTS_XDP),
        "the driver ran the program on each frame, on every queue",
    ),
    Invariant(
        "drops-agree", (_nic(Counter.XDP_DROP),), Relation.EQUAL, (_DROPPED,), Slack.POLL,
        (When.NATIVE, When.DROP_APART, When.EXACT),
        "the driver dropped what the pipeline decided to drop",
    ),
    Invariant(
        "drops-and-aborts-agree", (_nic(Counter.XDP_DROP),), Relation.EQUAL, (_DROPPED, _ABORTED), Slack.POLL,
        (When.NATIVE, When.DROP_FOLDS_ABORTED, When.EXACT),
        "the driver dropped what the pipeline decided to drop or failed on (it counts both as drops)",
    ),
    Invariant(
        "drops-cover-verdicts", (_nic(Counter.XDP_DROP),), Relation.AT_LEAST, (_DROPPED,), Slack.POLL,
        (When.NATIVE, When.INEXACT),
        "the driver dropped at least what the pipeline decided to drop (failed TX and redirects are among its drops)",
    ),
    Invariant(
        "aborts-agree", (_nic(Counter.XDP_ABORTED),), Relation.EQUAL, (_ABORTED,), Slack.POLL, (When.NATIVE,),
        "the program failed as often as the pipeline says",
    ),
    Invariant(
        "passes-agree", (_nic(Counter.XDP_PASS),), Relation.EQUAL, (_PASSED,), Slack.POLL,
        (When.NATIVE, When.EXACT),
        "the driver passed what the pipeline decided to pass",
    ),
    Invariant(
        "passes-delivered", (_nic(Counter.DELIVERED),), Relation.EQUAL, (_PASSED,), Slack.POLL,
        (When.NATIVE, When.EXACT),
        "what the pipeline passed went to the stack",
    ),
    Invariant(
        "wire-explained", (_nic(Counter.WIRE_PACKETS),), Relation.EQUAL,
        (_nic(Counter.DRIVER_PACKETS), _NIC_DROP, _nic(Counter.HOST_DROP, optional=True, inside=False)), Slack.RING,
        (When.DRIVER_COUNTS_XDP,),
        "each good frame at the port reached the driver or is counted as lost",
    ),
    Invariant(
        "nothing-lost-silently", (_nic(Counter.WIRE_PACKETS),), Relation.EQUAL, (_ALL, _NIC_DROP, _HOST_DROP),
        Slack.RING, (When.ATTACHED,),
        "each good frame at the port has a verdict or is counted as lost",
    ),
    Invariant(
        "sent-accounted", (_ALL, _NIC_DROP, _HOST_DROP), Relation.AT_LEAST, (Term(Of.CALLER, "sent"),),
        Slack.RING, (When.ATTACHED,),
        "each frame that the caller sent has a verdict or is counted as lost",
    ),
)  # fmt: skip
