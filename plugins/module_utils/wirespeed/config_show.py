# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a configuration, told: plain data for machines, text of bounded length for people."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping

from .config.compiled import Compiled
from .config.difference import Difference, total
from .config.history import Delivery
from .config.spelled import SHOWN, spelled
from .config.tables import Table
from .config_engine import Delivered, Differing, Shown, Told

_DIGITS = 12
Data = Dict[str, Any]


def compared(document: Compiled, found: Differing) -> Data:
    """``changed``: whether a delivery would write rows."""
    return {
        "pipeline": document.pipeline,
        "digest": document.digest,
        "changed": total(found.tables) > 0,
        "tables": changes(found.tables, found.codecs),
    }


def comparison(found: Differing) -> str:
    return "\n".join(_changes(found.tables, found.codecs)) or "Nothing differs."


def changes(differences: Mapping[str, Difference], codecs: Mapping[str, Table], shown: int = SHOWN) -> Data:
    """By table: how many rows, and the first ``shown`` of each kind."""
    return {each.table: each.to_json() for each in spelled(differences, codecs, shown)}


def delivered(done: Delivered) -> Data:
    return {
        "changed": done.changed,
        "version": done.version,
        "before": done.before,
        "digest": done.digest,
        "strategy": done.strategy,
        "why": done.why,
        "operations": done.operations,
        "tables": changes(done.differences, done.codecs),
        "steps": [each["text"] for each in done.steps],
        "warnings": list(done.warnings),
        "recovered": list(done.recovered),
    }


def answered(pipeline: str, done: Delivered) -> Data:
    """A module's result. Its ``diff`` has the first rows that differ, and the versions."""
    data = delivered(done)
    told = {**data, "tables": dict(done.tables), "rows": data["tables"]}
    if not done.changed:
        return told
    before, after = [f"version: {done.before}"], [f"version: {done.version}"]
    for each in spelled(done.differences, done.codecs):
        gone, come = each.halves()
        before += gone
        after += come
    header = f"configuration of {pipeline}"
    texts = {"before": "\n".join([*before, ""]), "after": "\n".join([*after, ""])}
    return {**told, "diff": {"before_header": header, "after_header": header, **texts}}


def delivery(done: Delivered, check: bool) -> str:
    told = [*done.recovered, *(f"warning: {warning}" for warning in done.warnings)]
    if not done.changed:
        return "\n".join([*told, f"Nothing to do: version {done.version} is live."])
    would = "would be" if check else "is"
    before = f"version {done.before}" if done.before else "nothing delivered"
    how = f"{done.strategy}, {done.operations} operation(s): {done.why}"
    ending = f"Version {done.version} {would} live after {before} ({how})."
    return "\n".join([*told, *_changes(done.differences, done.codecs), ending])


def standing(found: Shown, shown: int = SHOWN) -> Data:
    """All but the rows. ``drift`` is what others did to them."""
    return {
        "pipeline": found.pipeline,
        "schema": found.schema,
        "generation": found.generation,
        "version": found.version,
        "digest": found.digest,
        "drift": changes(_done_by_others(found), found.codecs, shown),
        "warnings": list(found.warnings),
    }


def summary(found: Shown) -> str:
    lines = [f"warning: {warning}" for warning in found.warnings]
    delivered_as = f"version {found.version}, digest {found.digest[:_DIGITS]}" if found.version else "none delivered"
    lines.append(f"{found.pipeline}: {delivered_as}, generation {found.generation}")
    lines += [f"  {name}: {packed.count} rows" for name, packed in found.tables.items()]
    if found.drift:
        lines.append(
            f"Changed by others since version {found.version} was delivered; to deliver it again puts it back:"
        )
        lines += _changes(_done_by_others(found), found.codecs)
    return "\n".join(lines)


def _done_by_others(found: Shown) -> Dict[str, Difference]:
    return {name: each.turned for name, each in found.drift.items()}


def told(found: Told) -> Data:
    """Newest first."""
    deliveries = [{**each.to_json(), "kept": each.digest in found.kept} for each in reversed(found.deliveries)]
    return {"version": found.version, "deliveries": deliveries, "warnings": list(found.warnings)}


def history(found: Told) -> str:
    lines = [f"warning: {warning}" for warning in found.warnings]
    for each in reversed(found.deliveries):
        mark = "*" if each.version == found.version else " "
        kept = ", kept" if each.digest in found.kept else ""
        lines.append(f"{mark} {each.version:4}  {_when(each)} by {each.by}: {_what(each)}{kept}")
        lines.append(f"        {each.why}")
    return "\n".join(lines) or "Nothing was delivered."


def _what(each: Delivery) -> str:
    back = f"back to version {each.rollback_to}, " if each.rollback_to is not None else ""
    return f"{back}{each.strategy}, {each.operations} operation(s), {each.rows} rows, digest {each.digest[:_DIGITS]}"


def _when(each: Delivery) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.at))


def _changes(differences: Mapping[str, Difference], codecs: Mapping[str, Table]) -> List[str]:
    return [line for each in spelled(differences, codecs) for line in each.lines()]
