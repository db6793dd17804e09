# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in files: written host by host, and read back whole and checked."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping

from ..errors import BadInput, MissingPrerequisite, Place
from ..packaged import unpacked
from ..whole_file import replacing
from . import page
from .fleet import SCHEMA, Report

SCHEMA_FILE = Path(__file__).with_name("schema.json")
MAX_BYTES = 256 << 20
_SAID = 200


def json_pieces(report: Report) -> Iterator[str]:
    """The document, one host at a time."""
    head = json.dumps(report.head(), indent=2, ensure_ascii=False)
    yield head[: head.rindex("\n}")] + ',\n  "hosts": ['
    for number, entry in enumerate(report.entries):
        host = json.dumps(report.read(entry.host), indent=2, ensure_ascii=False)
        yield ("," if number else "") + "\n    " + host.replace("\n", "\n    ")
    yield "\n  ]\n}\n" if report.entries else "]\n}\n"


def write_json(path: Path, report: Report) -> None:
    """Raises :class:`WirespeedError` for a file that cannot be written."""
    _write(path, json_pieces(report))


def write_page(path: Path, report: Report) -> None:
    """Raises :class:`WirespeedError` for a file that cannot be written, or without jinja2."""
    _write(path, page.pieces(report))


def _write(path: Path, pieces: Iterable[str]) -> None:
    """A report tells RSS keys and rows, so a new one is its owner's; who may read an older one may read the next."""
    with replacing(path) as file:
        if path.exists():
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
        for piece in pieces:
            file.write(piece.encode("utf-8", "replace"))


def read(path: str) -> Dict[str, Any]:
    """A report that was written before. Raises :class:`BadInput` for what is none, or is one of a newer version."""
    place = Place(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(place, "", f"cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise BadInput(place, "", f"is larger than {MAX_BYTES >> 20} MiB.", "No report is so large.")
    try:
        document = json.loads(data)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise BadInput(place, "", f"is not JSON: {error}.") from None
    _check(document, place)
    return dict(document)


def schema() -> Dict[str, Any]:
    return dict(json.loads(unpacked(SCHEMA_FILE).read_text(encoding="utf-8")))


def _check(document: Any, place: Place) -> None:
    version = document.get("schema") if isinstance(document, Mapping) else None
    if isinstance(version, int) and version > SCHEMA:
        raise BadInput(place, "schema", f"is {version}; this Wirespeed reads up to {SCHEMA}.", "Use a newer one.")
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match
    except ImportError:
        raise MissingPrerequisite(
            "Reports are checked by JSON Schema, and the Python library jsonschema is missing.",
            "Install python3-jsonschema.",
        ) from None
    mistake = best_match(Draft202012Validator(schema()).iter_errors(document))
    if mistake is not None:
        field = ".".join(map(str, mistake.absolute_path))
        said = mistake.message if len(mistake.message) <= _SAID else f"... {mistake.message[-_SAID:]}"
        raise BadInput(place, field, f"is not as a drift report has it: {said}.")
