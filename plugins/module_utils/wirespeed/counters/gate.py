# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a new program behave? A window of counters after its publish against one before it. Pure.

Measuring the windows is :mod:`.gate_window`; the bounds are the manifest's (:class:`Health`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Iterator, List, NewType, Sequence, Tuple

from ..errors import WirespeedError
from ..pipeline.checks import Bound, Health
from .health_window import HealthWindow

Complaint = NewType("Complaint", str)
"""One sentence, without its full stop, with the number found and the number allowed."""


class GateFailed(WirespeedError):
    """The new program misbehaves: undo its publish. ``before`` and ``after`` are what the complaints speak of."""

    def __init__(
        self, pipeline: str, complaints: Sequence[Complaint], before: HealthWindow, after: HealthWindow
    ) -> None:
        early = f" The window was ended after {after.seconds:.1f} s, for the rest of it could not have changed that."
        super().__init__(
            f"Pipeline {pipeline} misbehaves since it was published: {'; '.join(complaints)}."
            f"{early if after.ended_early else ''} The earlier generation is being put back.",
            "Correct the program or its tables, or widen the bound in the manifest.",
        )
        self.complaints = tuple(complaints)
        self.before = before
        self.after = after


def judge(before: HealthWindow, after: HealthWindow, health: Health) -> Tuple[Complaint, ...]:
    """What is wrong since the publish; empty when nothing is."""
    shares = _shares(before, after, health) if _enough(before, after, health) else ()
    return tuple(
        Complaint(sentence)
        for sentence in (
            *_unjudged(before, after),
            *_silence(before, after),
            *shares,
            *_errors(before, after, health),
            *_findings(before, after),
        )
    )


def cautions(before: HealthWindow, after: HealthWindow, health: Health) -> Tuple[str, ...]:
    """What could not be judged, and why: one sentence each."""
    return (*_untold_shares(before, after, health), *_untold_findings(before, after), *_notes(before, after))


def beyond_recovery(before: HealthWindow, so_far: HealthWindow, health: Health) -> bool:
    """Whether the rest of the window can be spared.

    It can when packets met an empty slot, or when a ``max_share`` would be exceeded even if all packets still to
    come had other verdicts: as many as come in at the rate so far, and no fewer than the window before had.
    """
    if so_far.unseen:
        return True
    if not _enough(before, so_far, health) or so_far.seconds <= 0:
        return False
    at_this_rate = so_far.packets * max(Fraction(1), _exact(health.window) / Fraction(so_far.seconds))
    expected = max(Fraction(before.packets), at_this_rate)
    return any(
        bound.max_share is not None and so_far.count(name) > _exact(bound.max_share) * expected
        for name, bound in health.verdicts.items()
    )


def _enough(before: HealthWindow, after: HealthWindow, health: Health) -> bool:
    return min(before.packets, after.packets) >= max(1, health.min_packets)


def _unjudged(before: HealthWindow, after: HealthWindow) -> Iterator[str]:
    if after.generation is None and before.generation is not None:
        yield f"no generation is published any more, {before.generation} was before"
    if after.unseen:
        yield f"{after.unseen:,} packets met an empty slot of the root and were judged by no program, at most 0 may"


def _silence(before: HealthWindow, after: HealthWindow) -> Iterator[str]:
    """Where the verdicts cannot be read, or an empty slot took the packets, silence has another reason."""
    frames = sum(nic.frames or 0 for nic in after.nics.values())
    if before.packets and after.verdicts is not None and not after.packets and not after.unseen and frames:
        yield f"0 packets were judged, {before.packets:,} were before, although the NICs took in {frames:,} frames"


def _shares(before: HealthWindow, after: HealthWindow, health: Health) -> Iterator[str]:
    """By name: a verdict that one of the windows does not know has a share of 0 there."""
    names = dict.fromkeys([*(after.verdicts or {}), *(before.verdicts or {})])
    for name in names:
        was, now = Fraction(before.count(name), before.packets), Fraction(after.count(name), after.packets)
        field, bound = f"health.verdicts.{name}.", health.verdicts.get(name)
        if bound is None:
            field, bound = "health.", Bound(max_change=health.max_change)
        if bound.max_share is not None and now > _exact(bound.max_share):
            yield (
                f"verdict {name} is {_percent(now, bound.max_share)} % of {after.packets:,} packets, "
                f"at most {_percent(_exact(bound.max_share))} % is allowed ({field}max_share)"
            )
        if bound.max_change is not None and abs(now - was) > _exact(bound.max_change):
            yield (
                f"verdict {name} went from {_percent(was)} % of {before.packets:,} packets to {_percent(now)} % of "
                f"{after.packets:,}, by {_percent(abs(now - was), bound.max_change)} points, "
                f"at most {_percent(_exact(bound.max_change))} are allowed ({field}max_change)"
            )


def _errors(before: HealthWindow, after: HealthWindow, health: Health) -> Iterator[str]:
    """Without traffic before there were no errors either, which says nothing of the program."""
    if before.verdicts is not None and not before.packets:
        return
    was = now = 0
    told: List[str] = []
    for name in after.nics.keys() & before.nics.keys():
        for counter, late in after.nics[name].errors.items():
            early = before.nics[name].errors.get(counter)
            if late is not None and early is not None:
                was, now = was + early.high, now + late.low
                told += [f"{name} {counter} {late.low:,}"] if late.low else []
    if now - was > health.max_errors:
        yield (
            f"the NICs counted {now:,} errors ({', '.join(sorted(told))}), {was:,} before, "
            f"at most {health.max_errors:,} more are allowed (health.max_errors)"
        )


def _findings(before: HealthWindow, after: HealthWindow) -> Iterator[str]:
    for key, sentence in after.findings.items():
        if key in before.sound:
            yield f"what held before does not any more: {sentence.rstrip('.')}"


def _untold_shares(before: HealthWindow, after: HealthWindow, health: Health) -> Iterator[str]:
    for when, seen in (("before", before), ("after", after)):
        if seen.verdicts is None:
            yield f"Shares of verdicts were not judged: those {when} the publish could not be told: {seen.why}"
            return
    if not before.packets:
        yield "No packet was judged in the window before the publish, so there was nothing to compare with."
    elif not _enough(before, after, health):
        yield (
            f"Shares of verdicts were not judged: {before.packets:,} packets came before the publish and "
            f"{after.packets:,} after it, fewer than {health.min_packets:,} tell nothing (health.min_packets)."
        )


def _untold_findings(before: HealthWindow, after: HealthWindow) -> Iterator[str]:
    for key, sentence in after.findings.items():
        if key not in before.sound and key not in before.findings:
            yield f"Whether this was so before the publish could not be told: {sentence}"


def _notes(before: HealthWindow, after: HealthWindow) -> Iterator[str]:
    for when, seen in (("before", before), ("after", after)):
        for name, nic in seen.nics.items():
            if nic.why:
                yield f"{name}: its counters were not judged, {when} the publish: {nic.why}"


def _exact(number: float) -> Fraction:
    """What the manifest says, in decimals: 0.1 + 0.2 is 0.3."""
    return Fraction(str(number))


def _percent(share: Fraction, bound: float = -1.0) -> str:
    """In percent with one decimal, or with as many as tell it from the bound that it exceeds."""
    for digits in range(1, 9):
        text = _plain(share, digits)
        if bound < 0 or text != _plain(_exact(bound), digits):
            break
    return text


def _plain(share: Fraction, digits: int) -> str:
    return f"{float(share * 100):.{digits}f}".rstrip("0").rstrip(".")
