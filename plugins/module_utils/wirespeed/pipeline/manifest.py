# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: what a pipeline's author says about a compiled object, so that it needs no code of ours.

The format is ``manifest.schema.json``; the reference is ``objects/scrubber.pipeline.yml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ..errors import BadInput, Place
from . import document as documents

SCHEMA = Path(__file__).with_name("manifest.schema.json")
VERDICT_MAP = "verdicts"
Constant = Union[int, bool, str]


class Role(str, Enum):
    """What a map is for, which decides its fate in a reload.

    ``config``  written from the intent; each generation has its own.
    ``state``   what the program learned (flows); handed to the next generation.
    ``stats``   what the program counted; handed to the next generation.
    ``scratch`` nothing worth keeping.
    """

    CONFIG = "config"
    STATE = "state"
    STATS = "stats"
    SCRATCH = "scratch"

    @property
    def handed_over(self) -> bool:
        return self in (Role.STATE, Role.STATS)


@dataclass(frozen=True)
class MapSpec:
    """``table`` names the row codec of a config map (``config/tables.py``)."""

    role: Role
    table: Optional[str] = None
    max_entries: Optional[int] = None
    reset_on_layout_change: bool = False


@dataclass(frozen=True)
class Verdict:
    """``action`` is what becomes of the packet: pass, drop, tx, redirect, aborted."""

    name: str
    action: str
    description: str = ""


@dataclass(frozen=True)
class Manifest:
    name: str
    version: str
    object: str
    entry: str
    stages: Tuple[str, ...] = ()
    maps: Mapping[str, MapSpec] = field(default_factory=dict)
    verdicts: Tuple[Verdict, ...] = ()
    constants: Mapping[str, Constant] = field(default_factory=dict)
    empty_slot: str = "pass"
    description: str = ""

    @property
    def programs(self) -> Tuple[str, ...]:
        return (self.entry, *self.stages)

    def to_json(self) -> Dict[str, Any]:
        """As the YAML would say it, with nothing left out."""
        return {
            "manifest": 1,
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "object": self.object,
            "entry": self.entry,
            "stages": list(self.stages),
            "empty_slot": self.empty_slot,
            "maps": {name: _map_json(spec) for name, spec in self.maps.items()},
            "verdicts": [vars(verdict).copy() for verdict in self.verdicts],
            "constants": dict(self.constants),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Manifest":
        """Takes what :meth:`to_json` or a validated YAML document gives. Raises :class:`BadInput`."""
        try:
            if data["manifest"] != 1:
                raise BadInput(Place("manifest"), "manifest", f"has format {data['manifest']!r}, not 1.")
            return cls(
                name=data["name"],
                version=data["version"],
                object=data.get("object") or f"{data['name']}.bpf.o",
                entry=data["entry"],
                stages=tuple(data.get("stages", ())),
                maps={name: _map(spec) for name, spec in data.get("maps", {}).items()},
                verdicts=tuple(Verdict(**verdict) for verdict in data.get("verdicts", ())),
                constants=dict(data.get("constants", {})),
                empty_slot=data.get("empty_slot", "pass"),
                description=data.get("description", ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(Place("manifest"), "", f"is not one that this version can read ({error!r}).") from error


def load_manifest(path: Path) -> Manifest:
    """Raises :class:`BadInput` with file, line, field and what is allowed."""
    document = documents.read(path)
    documents.validate(document, SCHEMA)
    manifest = Manifest.from_json(document.data)
    for name, spec in manifest.maps.items():
        if spec.table is not None and spec.role is not Role.CONFIG:
            place, what = document.place(("maps", name, "table")), f"maps.{name}.table"
            raise BadInput(place, what, f"stands on a map of role '{spec.role.value}'.", "Only config maps are tables.")
    names = [verdict.name for verdict in manifest.verdicts]
    for number, verdict in enumerate(names):
        if verdict in names[:number]:
            place = document.place(("verdicts", number, "name"))
            raise BadInput(place, f"verdicts[{number}].name", f"{verdict!r} is verdict {names.index(verdict)} already.")
    return manifest


def _map(spec: Mapping[str, Any]) -> MapSpec:
    reset = spec.get("on_layout_change", "refuse") == "reset"
    return MapSpec(Role(spec["role"]), spec.get("table"), spec.get("max_entries"), reset)


def _map_json(spec: MapSpec) -> Dict[str, Any]:
    said: Dict[str, Any] = {"role": spec.role.value}
    if spec.table is not None:
        said["table"] = spec.table
    if spec.max_entries is not None:
        said["max_entries"] = spec.max_entries
    if spec.role.handed_over:
        said["on_layout_change"] = "reset" if spec.reset_on_layout_change else "refuse"
    return said
