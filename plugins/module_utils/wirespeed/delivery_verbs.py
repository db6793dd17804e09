# SPDX-License-Identifier: GPL-3.0-or-later
"""``config apply``, ``diff``, ``show``, ``history`` and ``rollback`` of the command line: documents on this node."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional

from . import config_engine, config_told
from .config import bundle as bundles
from .config import document as documents
from .config import strategy
from .config.compiled import Compiled
from .config.strategy import Strategy
from .config_engine import Delivered, Shown
from .errors import BadInput
from .gather import compiled
from .profile_verbs import Verb
from .progress import on_terminal

OK, DIFFERS = 0, 2
_DIGITS = 12
_SIGNS = (("removed", "-"), ("changed", "~"), ("added", "+"))


def add(actions: Any, verb: Verb) -> None:
    """``actions`` are those of the group ``config``."""
    comparing = verb(actions, "diff", _diff, "what a document would change in the kernel; exit code 2 if anything")
    _document(comparing)
    delivering = verb(actions, "apply", _apply, "make a document the live configuration, all of it or nothing")
    _document(delivering)
    _delivery(delivering)
    showing = verb(actions, "show", _show, "read the live configuration back from the kernel, as a document")
    showing.add_argument("pipeline", metavar="PIPELINE")
    showing.add_argument("--table", action="append", metavar="TABLE", help="only this one; repeatable")
    telling = verb(actions, "history", _history, "what was delivered, newest first, and what a rollback can go to")
    telling.add_argument("pipeline", metavar="PIPELINE")
    going = verb(actions, "rollback", _rollback, "deliver an earlier version's rows again")
    going.add_argument("pipeline", metavar="PIPELINE")
    going.add_argument("--to", type=int, metavar="VERSION", help="else the version with the rows before the live ones")
    _delivery(going)


def _document(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", metavar="DOCUMENT", help="a YAML file, or a bundle that 'config compile' made")
    parser.add_argument(
        "--manifest",
        metavar="MANIFEST",
        help="NAME.pipeline.yml, relative to the document; else that of the pipeline that runs here",
    )


def _delivery(parser: argparse.ArgumentParser) -> None:
    words = [each.value for each in Strategy]
    parser.add_argument("--strategy", choices=words, default=words[0], help="how it is delivered (auto)")
    parser.add_argument(
        "--expect-version", type=int, metavar="N", help="refuse unless version N is live now; 0 for the first delivery"
    )
    parser.add_argument("--check", action="store_true", help="only say what it would do; exit code 2 if anything")


def _given(options: argparse.Namespace) -> Compiled:
    """Compiled with what runs here, unless the command line names a manifest."""
    path = Path(options.document)
    if bundles.is_bundle(path):
        return bundles.read(path)
    if options.manifest is not None:
        return compiled(path, options.manifest)
    document = documents.read(path)
    try:
        source = config_engine.source(document.pipeline)
    except BadInput as mistake:
        raise BadInput(document.place, "pipeline", mistake.detail, mistake.remedy) from None
    return documents.compile_document(document, source.manifest.name, source.manifest.config, source.tables)


def _diff(options: argparse.Namespace) -> int:
    wanted = _given(options)
    differences = config_engine.diff(wanted.pipeline, wanted)
    told = config_told.changes(differences, config_engine.source(wanted.pipeline).tables)
    print(json.dumps(told, indent=2, sort_keys=True) if options.json else _changes(told) or "Nothing differs.")
    return DIFFERS if told else OK


def _apply(options: argparse.Namespace) -> int:
    wanted, asked = _given(options), strategy.parse(options.strategy)
    with on_terminal() as progress:
        found = config_engine.apply(wanted.pipeline, wanted, asked, options.expect_version, options.check, progress)
    return _delivered(options, found)


def _rollback(options: argparse.Namespace) -> int:
    asked = strategy.parse(options.strategy)
    with on_terminal() as progress:
        found = config_engine.rollback(
            options.pipeline, options.to, asked, options.expect_version, options.check, progress
        )
    return _delivered(options, found)


def _delivered(options: argparse.Namespace, found: Delivered) -> int:
    print(json.dumps(config_told.delivered(found), indent=2, sort_keys=True) if options.json else _said(found, options))
    return DIFFERS if options.check and found.changed else OK


def _said(found: Delivered, options: argparse.Namespace) -> str:
    lines = [*found.recovered, *[f"warning: {each}" for each in found.warnings]]
    if not found.changed:
        return "\n".join([*lines, f"Nothing to do: version {found.version} is live."])
    lines += [f"{name}: {_counts(counts)}" for name, counts in found.tables.items()]
    how = f"{found.strategy}, {found.operations} operations: {found.why}"
    before = f"version {found.before}" if found.before else "nothing delivered"
    lines.append(f"Version {found.version} {'would be' if options.check else 'is'} live after {before} ({how}).")
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _changes(told: Mapping[str, Any]) -> str:
    lines: List[str] = []
    for name, found in told.items():
        lines.append(f"{name}: {_counts({kind: found[kind] for kind, dummy in _SIGNS})}")
        for kind, sign in _SIGNS:
            shown = found["rows"][kind]
            lines += [f"  {sign} {_row(row)}" for row in shown]
            more = found[kind] - len(shown)
            lines += [f"  {sign} and {more} more"] if more else []
    return "\n".join(lines)


def _row(row: Any) -> str:
    if isinstance(row, dict) and set(row) == {"before", "after"}:
        return f"{_row(row['before'])} -> {_row(row['after'])}"
    return row if isinstance(row, str) else json.dumps(row, sort_keys=True)


def _show(options: argparse.Namespace) -> int:
    found = config_engine.show(options.pipeline, options.table)
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if options.json:
        tables = {name: list(found.codecs[name].unpack(packed)) for name, packed in found.tables.items()}
        print(json.dumps({**config_told.standing(found), "tables": tables}, indent=2, sort_keys=True))
        return OK
    for line in _as_document(found, config_engine.source(options.pipeline).manifest.config.schema):
        print(line)
    return OK


def _as_document(found: Shown, schema: int) -> Iterator[str]:
    """YAML whose rows are JSON, one a line, so that a million of them are never held as objects."""
    yield f"# version {found.version}, digest {found.digest[:_DIGITS] or 'none'}, generation {found.generation}"
    for name, difference in found.drift.items():
        yield f"# not as delivered: {name}: {difference}"
    yield f"pipeline: {found.pipeline}"
    yield f"schema: {schema}"
    yield "tables:" if any(packed.count for packed in found.tables.values()) else "tables: {}"
    for name, packed in found.tables.items():
        if packed.count:
            yield f"  {name}:"
            for row in found.codecs[name].unpack(packed):
                yield f"  - {json.dumps(row, sort_keys=True)}"


def _history(options: argparse.Namespace) -> int:
    told = config_told.history(config_engine.history(options.pipeline))
    if options.json:
        print(json.dumps(told, indent=2, sort_keys=True))
        return OK
    for warning in told["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    print("\n".join(_version(each, told["version"]) for each in told["deliveries"]) or "Nothing was delivered.")
    return OK


def _version(said: Dict[str, Any], live: int) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(said["at"]))
    mark = "*" if said["version"] == live else "-" if said["kept"] else " "
    back: Optional[int] = said["rollback_to"]
    how = f"{said['strategy']}, {said['operations']} operations" + (f", back to {back}" if back is not None else "")
    return f"{mark} {said['version']}  {said['digest'][:_DIGITS]}  {said['rows']} rows, {when} by {said['by']}, {how}"
