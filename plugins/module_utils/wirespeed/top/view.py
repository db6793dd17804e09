# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a frame for a terminal, by rich."""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Sequence

from ..errors import MissingPrerequisite
from .frame import EntityRow, Frame, MapRow, NicRow, VerdictRow

BAR = 12
_ACTIONS = {"drop": "red", "aborted": "bold red", "pass": "green", "tx": "blue", "redirect": "magenta"}
_LEVELS = {"ok": "", "warning": "yellow", "critical": "bold red"}
_SHOWN = 12


def library() -> Any:
    """rich. Raises :class:`MissingPrerequisite`."""
    try:
        import rich
        import rich.console
        import rich.live
        import rich.table
        import rich.text
    except ImportError as error:
        raise MissingPrerequisite(
            "This view is drawn by the Python library rich, which is not installed.",
            "Install it: package python3-rich; or ask for --json, which does without.",
        ) from error
    return rich


def drawn(frame: Frame, host: str, most: int = _SHOWN) -> Any:
    """Something that rich prints; ``most`` rows of each table."""
    rich = library()
    head = rich.text.Text.assemble((host, "bold"), f"   over {frame.seconds:.1f} s   ", ("Ctrl-C ends", "dim"))
    parts: List[Any] = [head, _nics(rich, frame.nics)]
    if frame.verdicts:
        parts.append(_verdicts(rich, frame.verdicts, most))
    if frame.entities:
        parts.append(_entities(rich, frame.entities, most))
    if frame.maps:
        parts.append(_maps(rich, frame.maps, most))
    parts += [rich.text.Text(f"note: {note}", style="yellow") for note in frame.notes]
    return rich.console.Group(*parts)


def _table(rich: Any, title: str, left: Sequence[str], right: Sequence[str]) -> Any:
    table = rich.table.Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in left:
        table.add_column(name, no_wrap=True, header_style="dim")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True, header_style="dim")
    return table


def _nics(rich: Any, rows: Iterable[NicRow]) -> Any:
    rates = ["frames/s", "lost in NIC", "host late", "bad", *_ACTIONS, "hottest queue"]
    table = _table(rich, "NICs", ["NIC", "driver", "XDP", "pipeline"], rates)
    for row in rows:
        style = "" if row.up else "dim"
        lost = [_lost(rich, each) for each in (row.nic_drop, row.host_drop, row.error)]
        done = [number(row.actions.get(action)) for action in _ACTIONS]
        hottest = "" if row.hottest is None else f"{row.hottest[0]}: {row.hottest[1]:.0%}"
        who = [row.name, row.driver, row.mode, row.pipeline or "-"]
        table.add_row(*who, number(row.packets), *lost, *done, hottest, style=style)
    return table


def _lost(rich: Any, rate: Optional[float]) -> Any:
    return rich.text.Text(number(rate), style="bold red" if rate else "")


def _verdicts(rich: Any, rows: Sequence[VerdictRow], most: int) -> Any:
    table = _table(rich, "Verdicts", ["pipeline", "verdict", "action"], ["frames/s", "bytes/s", "in all", "share"])
    shown = [row for row in rows if row.total][:most]
    whole = sum(row.packets for row in rows)
    for row in shown:
        action = rich.text.Text(row.action, style=_ACTIONS.get(row.action, ""))
        share = row.packets / whole if whole else 0.0
        figures = [number(row.packets), number(row.bytes), f"{row.total}", gauge(share)]
        table.add_row(row.pipeline, row.verdict, action, *figures)
    if not shown:
        table.add_row("none yet", "", "", "", "", "", "")
    return table


def _entities(rich: Any, rows: Sequence[EntityRow], most: int) -> Any:
    table = _table(rich, "Entities", ["pipeline", "entity", "verdict"], ["frames/s"])
    for row in rows[:most]:
        entity = ", ".join(f"{name} {value}" for name, value in row.labels.items())
        table.add_row(row.pipeline, entity, row.verdict, number(row.packets))
    return table


def _maps(rich: Any, rows: Sequence[MapRow], most: int) -> Any:
    table = _table(
        rich, "Maps", ["pipeline", "map", "taken"], ["entries", "of", "in/s", "no room/s", "full in", "level"]
    )
    for row in rows[:most]:
        taken = 0.0 if row.entries is None else row.entries / max(1, row.room)
        entries = "?" if row.entries is None else str(row.entries)
        figures = [entries, str(row.room), number(row.inserted), number(row.failed), _time(row.full_in)]
        table.add_row(row.pipeline, row.map, gauge(taken), *figures, row.level, style=_LEVELS[row.level])
    if len(rows) > most:
        table.add_row(f"and {len(rows) - most} more", *[""] * 8)
    return table


def gauge(share: float) -> str:
    """A share from 0 to 1, drawn and in words."""
    full = min(BAR, round(share * BAR))
    return f"{'█' * full}{'░' * (BAR - full)} {share:4.0%}"


def number(rate: Optional[float]) -> str:
    """``12``, ``3.4k``, ``14.9M``; ``-`` for what is absent."""
    if rate is None:
        return "-"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.1f}{unit}"
    return f"{rate:.0f}"


def _time(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
