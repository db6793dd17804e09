# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as one HTML page that needs nothing else: no network, no other file, and JavaScript only to filter."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from ..errors import MissingPrerequisite
from ..packaged import unpacked
from . import lines
from .document import FILTERING, State
from .fleet import Entry, Report

HERE = Path(__file__).resolve().parent
SEPARATOR = "|"
MAX_VALUE = 400
_WORDS = {"host": "host settings", "config": "configuration"}
_PIECES = 64


def pieces(report: Report) -> Iterator[str]:
    """The page, a host or so at a time. All that is in a report is text to it, whatever it looks like."""
    try:
        import jinja2
    except ImportError:
        raise MissingPrerequisite(
            "The page is made with the Python library jinja2, which is missing.", "Install python3-jinja2."
        ) from None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["value"] = _value
    environment.filters["words"] = _words
    environment.filters["breakable"] = _breakable
    template = environment.from_string(_text("page.html.j2"))
    stream = template.stream(**_names(report))
    stream.enable_buffering(_PIECES)
    yield from stream


def _names(report: Report) -> Dict[str, Any]:
    """What the template is given."""
    from markupsafe import Markup  # jinja2's own

    style, script = _text("page.css"), _text("page.js")
    by_state = {state.value: [each for each in report.entries if each.state is state] for state in State}
    return {
        "head": report.head(),
        "entries": report.entries,
        "numbers": {entry.host: number for number, entry in enumerate(report.entries, 1)},
        "by_state": by_state,
        "lacking": [entry for entry in report.entries if entry.unsupported],
        "kinds": kinds(report.entries),
        "filtering": FILTERING,
        "choices": choices(report.entries),
        "separator": SEPARATOR,
        "read": report.read,
        # Ours, and said to be so; the browser runs no other script and fetches nothing.
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "policy": f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
    }


def kinds(entries: Sequence[Entry]) -> List[str]:
    """The columns of the fleet's matrix: what filters first, then settings by how many hosts deviate in them."""
    hosts: Dict[str, int] = {}
    for entry in entries:
        for kind in entry.kinds:
            hosts[kind] = hosts.get(kind, 0) + 1
    settings = sorted((kind for kind in hosts if kind not in FILTERING), key=lambda kind: (-hosts[kind], kind))
    return [kind for kind in FILTERING if kind in hosts] + settings


def choices(entries: Sequence[Entry]) -> List[Tuple[str, List[str]]]:
    """For each filter what can be chosen."""
    found = {
        "driver": {driver for entry in entries for driver in entry.drivers},
        "kernel": {entry.kernel for entry in entries if entry.kernel},
        "profile": {profile for entry in entries for profile in entry.profiles},
    }
    return [(name, sorted(values)) for name, values in found.items()]


def _value(plain: Any) -> str:
    text = lines.value(plain)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _words(kind: str) -> str:
    """A kind as the head of a column."""
    return _WORDS.get(kind, kind.replace("_", " "))


def _breakable(text: str) -> Any:
    """A host's name or a path may go on in the next line after a dot."""
    from markupsafe import Markup, escape

    return Markup(".<wbr>").join(map(escape, text.split(".")))


def _text(name: str) -> str:
    return unpacked(HERE / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
