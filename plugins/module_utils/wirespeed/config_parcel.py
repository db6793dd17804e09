# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module ``config``, and a compiled document on its way to a node."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any, Mapping, Optional

from . import config_engine, config_told
from .config import bundle as bundles
from .config import document as documents
from .config import strategy
from .config.compiled import Compiled
from .config.document import Document
from .config.files import File
from .config.strategy import Strategy
from .errors import BadInput, Place
from .pipeline.source import PipelineSource

PLACE = Place("wirespeed.xdp.config")
STATES = ("delivered", "rolled_back")
SMALL = 64 << 10
"""Bytes of a bundle that travel among the module's options; a larger one is copied as a file beside them."""

_ONLY_DELIVERED = ("document", "tables", "schema", "manifest")


def check(options: Mapping[str, Any]) -> None:
    """What no host is needed to refuse. Raises :class:`BadInput`."""
    state = options.get("state") or STATES[0]
    if state not in STATES:
        raise BadInput(PLACE, "state", f"is {state!r}.", f"Allowed: {', '.join(STATES)}.")
    strategy_of(options)
    given = [name for name in _ONLY_DELIVERED if options.get(name) is not None]
    if state == STATES[1]:
        if given:
            raise BadInput(PLACE, given[0], f"is not for state {state}: the rows are on the node.", "Leave it out.")
        return
    if options.get("version") is not None:
        raise BadInput(PLACE, "version", f"is not for state {state}.", "Leave it out, or say state: rolled_back.")
    if ("document" in given) == ("tables" in given):
        raise BadInput(PLACE, "document", "or 'tables' is needed, and only one of them.", "Give the rows in one way.")
    if "schema" in given and "document" in given:
        raise BadInput(PLACE, "schema", "stands beside 'document'.", "The document says its own schema.")


def strategy_of(options: Mapping[str, Any]) -> Strategy:
    """Raises :class:`BadInput`."""
    try:
        return strategy.parse(str(options.get("strategy") or Strategy.AUTO.value))
    except BadInput as mistake:
        raise BadInput(PLACE, "strategy", mistake.detail, mistake.remedy) from None


def document(options: Mapping[str, Any], path: Optional[Path]) -> Document:
    """``path`` is where the option ``document`` was found; without one the rows are options. Raises
    :class:`BadInput`."""
    if path is not None:
        return documents.read(path)
    said = {"pipeline": options["pipeline"], "tables": options["tables"]}
    if options.get("schema") is not None:
        said["schema"] = options["schema"]
    return documents.given(said, PLACE)


def fingerprint(found: Document, source: PipelineSource, path: Path) -> str:
    """SHA-256 of all that a compilation reads: the document, its files, and the pipeline's object and manifest.

    Raises :class:`BadInput` for a file that cannot be read.
    """
    told = hashlib.sha256(source.digest.encode())
    files = [rows.path for rows in found.tables.values() if isinstance(rows, File)]
    for each in (path, *files):
        try:
            with open(each, "rb") as file:
                while block := file.read(1 << 20):
                    told.update(block)
        except OSError as error:
            raise BadInput(Place(str(each)), "", f"cannot be read: {error.strerror}.") from None
        told.update(str(each).encode() + b"\0")
    return told.hexdigest()


def received(text: Optional[str], path: Optional[str], folder: Path) -> Compiled:
    """What the control node sent: Base64, or a file. Raises :class:`BadInput`."""
    if path is None:
        try:
            data = base64.b64decode(text or "", validate=True)
        except binascii.Error as error:
            raise BadInput(PLACE, "bundle", f"is not Base64: {error}.", "Leave this option out.") from None
        path = str(folder / "config.bundle")
        Path(path).write_bytes(data)
    return bundles.read(Path(path))


def deliver(compiled: Compiled, options: Mapping[str, Any], check_only: bool) -> Mapping[str, Any]:
    """Raises as :func:`.config_engine.apply`."""
    pipeline = str(options["pipeline"])
    differences = config_engine.diff(pipeline, compiled)
    told = config_told.changes(differences, config_engine.source(pipeline).tables)
    found = config_engine.apply(pipeline, compiled, strategy_of(options), options.get("expected_version"), check_only)
    return {**config_told.delivered(found), "rows": told, "diff": config_told.before_and_after(told)}


def roll_back(options: Mapping[str, Any], check_only: bool) -> Mapping[str, Any]:
    """Nothing where no version is named and the last delivery was a rollback already: a second run does not go
    forward again. Raises as :func:`.config_engine.rollback`."""
    pipeline = str(options["pipeline"])
    known = config_engine.history(pipeline)
    last = known.deliveries[-1] if known.deliveries else None
    if options.get("version") is None and last is not None and last.rollback_to is not None:
        why = f"version {last.version} brought back {last.rollback_to} already"
        return {"changed": False, "version": known.version, "before": known.version, "digest": last.digest, "why": why}
    found = config_engine.rollback(
        pipeline, options.get("version"), strategy_of(options), options.get("expected_version"), check_only
    )
    told = config_told.delivered(found)
    return {**told, "diff": config_told.counts_as_text(told["tables"])}
