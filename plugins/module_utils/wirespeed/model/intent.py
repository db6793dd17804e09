# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent: what a user asks of one node, parsed from plain data with errors that say where.

::

    nics:
      - name: enp1s0            # or driver: igb, mac: 52:54:..., pci: 0000:01:00.0
        workload: drop          # drop | forward | stack
        pipeline: scrubber      # absent: tune only
        mode: auto              # auto | native | generic
        max_disruption: gap     # none | pause | reset | bounce | gap
        redirect_to: [enp2s0]   # only with workload: forward; NICs into which its program redirects
        foreign: refuse         # refuse | adopt: a program that someone else attached
        profile_tuning: true    # false: only the keys under tuning are set, the profile's own values are not
        profile: igb            # absent: matched by driver
        tuning: {rings: {rx: 1024}}
    pipelines:
      - name: scrubber
        manifest: scrubber      # built-in name, or a file beside which the object lies
        attach: root            # root | direct | auto: what the NICs carry
        tables: {deny_v4: [192.0.2.0/24]}
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar

from ..errors import BadInput, Place
from .nic import XdpMode
from .row import row_text
from .step import Disruption

_E = TypeVar("_E", bound=Enum)

PASS = "pass"
"""The built-in pipeline of a NIC that others redirect to and that has none of its own."""

SELECTORS = ("name", "driver", "mac", "pci")
_NIC_KEYS = (
    "workload",
    "pipeline",
    "mode",
    "max_disruption",
    "profile",
    "tuning",
    "redirect_to",
    "foreign",
    "profile_tuning",
)
_PIPELINE_KEYS = ("name", "manifest", "tables", "constants", "attach")


class Workload(str, Enum):
    """What most packets meet: XDP_DROP, XDP_TX/REDIRECT, or the stack."""

    DROP = "drop"
    FORWARD = "forward"
    STACK = "stack"


class Attach(str, Enum):
    """What the NICs of a pipeline carry.

    ``root``    a root program that calls the published generation: to publish is one write, whatever the driver.
    ``direct``  the published generation itself: to publish is an exchange on each NIC's hook, at the driver's cost.
    ``auto``    direct where that costs nothing on any NIC of the pipeline, else root.
    """

    ROOT = "root"
    DIRECT = "direct"
    AUTO = "auto"


class Foreign(str, Enum):
    """What becomes of a program on the hook that Wirespeed did not attach."""

    REFUSE = "refuse"
    ADOPT = "adopt"


@dataclass(frozen=True)
class NicIntent:
    """``selector`` is one of :data:`SELECTORS`, ``wanted`` its value; several NICs may match.

    Without ``profile_tuning`` only the keys of ``tuning`` are set; the profile's limits, order, costs
    and conditions hold all the same.
    """

    selector: str
    wanted: str
    workload: Workload = Workload.DROP
    pipeline: Optional[str] = None
    mode: Optional[XdpMode] = None
    max_disruption: Disruption = Disruption.GAP
    profile: Optional[str] = None
    tuning: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    redirect_to: Tuple[str, ...] = ()
    profile_tuning: bool = True
    foreign: Foreign = Foreign.REFUSE


@dataclass(frozen=True)
class PipelineIntent:
    """``manifest`` is for the front that gathers files; the engine gets the bundle it made.

    ``implied``: nobody asks for it by name, it is there for the targets of ``redirect_to`` that may need it.
    ``unwatched``: it is published at once, without the manifest's tests and health gate (a rollback).
    """

    name: str
    manifest: str = ""
    tables: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    attach: Attach = Attach.ROOT
    implied: bool = False
    unwatched: bool = False


@dataclass(frozen=True)
class Intent:
    nics: Tuple[NicIntent, ...] = ()
    pipelines: Tuple[PipelineIntent, ...] = ()

    @property
    def names(self) -> Tuple[str, ...]:
        """The NICs that are named one by one: virtual ones are looked at only then."""
        named = [nic.wanted for nic in self.nics if nic.selector == "name"]
        return (*named, *(target for nic in self.nics for target in nic.redirect_to))


def parse(data: Any, place: Place) -> Intent:
    """Raises :class:`BadInput` naming the field, the value and what is allowed."""
    top = _mapping(data, place, "", ("nics", "pipelines"))
    nics = [_nic(item, place, f"nics[{i}]") for i, item in enumerate(_list(top.get("nics"), place, "nics"))]
    pipelines = [
        _pipeline(item, place, f"pipelines[{i}]")
        for i, item in enumerate(_list(top.get("pipelines"), place, "pipelines"))
    ]
    known = {pipeline.name for pipeline in pipelines}
    for i, nic in enumerate(nics):
        if nic.pipeline is not None and nic.pipeline not in known:
            raise BadInput(
                place,
                f"nics[{i}].pipeline",
                f"{nic.pipeline!r} is not among the pipelines {sorted(known)}.",
                "Add it under 'pipelines', or correct the name.",
            )
    if PASS not in known and any(nic.redirect_to for nic in nics):
        pipelines.append(PipelineIntent(PASS, PASS, implied=True))
    return Intent(tuple(nics), tuple(pipelines))


def _nic(item: Any, place: Place, field_: str) -> NicIntent:
    keys = (*SELECTORS, *_NIC_KEYS)
    raw = _present(_mapping(item, place, field_, keys))
    chosen = [key for key in SELECTORS if key in raw]
    if len(chosen) != 1:
        raise BadInput(
            place, field_, f"gives {chosen or 'none'} of {', '.join(SELECTORS)}.", "Say which NIC by exactly one."
        )
    mode = raw.get("mode", "auto")
    tuning = _mapping(raw.get("tuning") or {}, place, f"{field_}.tuning", None)
    for setting, values in tuning.items():
        _mapping(values, place, f"{field_}.tuning.{setting}", None)
    workload = _choice(Workload, raw.get("workload", "drop"), place, f"{field_}.workload")
    return NicIntent(
        selector=chosen[0],
        wanted=_text(raw[chosen[0]], place, f"{field_}.{chosen[0]}"),
        workload=workload,
        pipeline=_optional_text(raw.get("pipeline"), place, f"{field_}.pipeline"),
        mode=None if mode == "auto" else _choice(XdpMode, mode, place, f"{field_}.mode", ("auto",), ("offload",)),
        max_disruption=_choice(Disruption, raw.get("max_disruption", "gap"), place, f"{field_}.max_disruption"),
        profile=_optional_text(raw.get("profile"), place, f"{field_}.profile"),
        tuning=tuning,
        redirect_to=_redirect_to(raw.get("redirect_to"), workload, place, f"{field_}.redirect_to"),
        foreign=_choice(Foreign, raw.get("foreign", "refuse"), place, f"{field_}.foreign"),
        profile_tuning=_truth(raw.get("profile_tuning", True), place, f"{field_}.profile_tuning"),
    )


def _redirect_to(value: Any, workload: Workload, place: Place, field_: str) -> Tuple[str, ...]:
    names = tuple(_text(name, place, f"{field_}[{i}]") for i, name in enumerate(_list(value, place, field_)))
    if names and workload is not Workload.FORWARD:
        hint = "Say workload: forward, or leave redirect_to out."
        raise BadInput(place, field_, f"is given for workload {workload.value}.", hint)
    return tuple(dict.fromkeys(names))


def _pipeline(item: Any, place: Place, field_: str) -> PipelineIntent:
    raw = _present(_mapping(item, place, field_, _PIPELINE_KEYS))
    if "name" not in raw:
        raise BadInput(place, field_, "has no 'name'.", "Name the pipeline as its manifest does.")
    tables: Dict[str, Tuple[str, ...]] = {}
    for table, rows in _mapping(raw.get("tables") or {}, place, f"{field_}.tables", None).items():
        where = f"{field_}.tables.{table}"
        tables[table] = tuple(_row(row, place, f"{where}[{i}]") for i, row in enumerate(_list(rows, place, where)))
    constants = _mapping(raw.get("constants") or {}, place, f"{field_}.constants", None)
    name = _text(raw["name"], place, f"{field_}.name")
    manifest = _optional_text(raw.get("manifest"), place, f"{field_}.manifest") or name
    attach = _choice(Attach, raw.get("attach", "root"), place, f"{field_}.attach")
    return PipelineIntent(name, manifest, tables, constants, attach)


def _present(raw: Mapping[str, Any]) -> Dict[str, Any]:
    """Ansible passes every option that was left out as None."""
    return {key: value for key, value in raw.items() if value is not None}


def _mapping(value: Any, place: Place, field_: str, allowed: Optional[Sequence[str]]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(place, field_, f"is {value!r}, not a mapping.")
    for key in value:
        if allowed is not None and key not in allowed:
            raise unknown_word(place, f"{field_}.{key}".lstrip("."), str(key), allowed)
    return value


def unknown_word(place: Place, field_: str, word: str, allowed: Sequence[str]) -> BadInput:
    """The error for a misspelt word, with the nearest allowed one."""
    near = difflib.get_close_matches(word, allowed, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return BadInput(place, field_, f"{word!r} is not known here.", f"{hint}Allowed: {', '.join(sorted(allowed))}.")


def _list(value: Any, place: Place, field_: str) -> List[Any]:
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise BadInput(place, field_, f"is {value!r}, not a list.")
    return list(value)


def _text(value: Any, place: Place, field_: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadInput(place, field_, f"is {value!r}, not a text.")
    return value


def _row(value: Any, place: Place, field_: str) -> str:
    """A row of a set is a text; one of records a mapping, which steps carry as a text."""
    if not isinstance(value, Mapping):
        return _text(value, place, field_)
    try:
        return row_text(value)
    except (TypeError, ValueError, RecursionError):
        raise BadInput(place, field_, "holds something that is neither text, number, list nor mapping.") from None


def _truth(value: Any, place: Place, field_: str) -> bool:
    if not isinstance(value, bool):
        raise BadInput(place, field_, f"is {value!r}, not true or false.")
    return value


def _optional_text(value: Any, place: Place, field_: str) -> Optional[str]:
    return None if value is None else _text(value, place, field_)


def _choice(
    kind: Type[_E],
    value: Any,
    place: Place,
    field_: str,
    also: Sequence[str] = (),
    never: Sequence[str] = (),
) -> _E:
    words = [member.value for member in kind if member.value not in never]
    if value in words:
        return kind(value)
    raise unknown_word(place, field_, str(value), [*also, *words])
