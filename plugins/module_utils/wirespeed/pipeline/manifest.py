# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: what a pipeline's author says about a compiled object, so that it needs no code of ours.

The format is ``manifest.schema.json``; the reference is ``objects/scrubber.pipeline.yml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple, Union

from ..config.section import Section
from ..errors import BadInput, Place
from ..model.intent import unknown_word
from ..packaged import unpacked
from . import document as documents
from .checks import Fixture, Health
from .config_checks import check_config
from .document import Document
from .entities import Entities
from .map_spec import MapSpec, Merge, OnLayoutChange, Role
from .packet import LONGEST, frame
from .packet_fields import hexadecimal
from .trace_words import TraceWords

__all__ = ["Manifest", "MapSpec", "Merge", "OnLayoutChange", "Role", "Verdict", "load_manifest"]

SCHEMA = Path(__file__).with_name("manifest.schema.json")
VERDICT_MAP = "verdicts"
Constant = Union[int, bool, str]


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
    tests: Tuple[Fixture, ...] = ()
    health: Optional[Health] = None
    config: Section = Section()
    trace: TraceWords = TraceWords()
    entities: Optional[Entities] = None

    @property
    def programs(self) -> Tuple[str, ...]:
        return (self.entry, *self.stages)

    def off(self, needs: Sequence[str]) -> Tuple[str, ...]:
        """Those of these constants that are 0."""
        return tuple(name for name in needs if not self.constants[name])

    def missing(self, fixture: Fixture) -> Tuple[str, ...]:
        """The constants that are 0 and without which the packet would meet another fate."""
        of_tables = (name for table in fixture.tables for name in self.maps[table].needs)
        return self.off(tuple(dict.fromkeys((*fixture.needs, *of_tables))))

    @property
    def tried(self) -> Tuple[int, ...]:
        """The places in ``tests`` of the packets that are run, with the constants as they are."""
        return tuple(number for number, fixture in enumerate(self.tests) if not self.missing(fixture))

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
            "maps": {name: spec.to_json() for name, spec in self.maps.items()},
            "verdicts": [vars(verdict).copy() for verdict in self.verdicts],
            "constants": dict(self.constants),
            "tests": [fixture.to_json() for fixture in self.tests],
            "health": None if self.health is None else self.health.to_json(),
            "config": self.config.to_json(),
            "trace": self.trace.to_json(),
            # Left out when empty: a manifest without it keeps the digest that it had.
            **({"entities": self.entities.to_json()} if self.entities else {}),
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
                maps={name: MapSpec.from_json(spec) for name, spec in data.get("maps", {}).items()},
                verdicts=tuple(Verdict(**verdict) for verdict in data.get("verdicts", ())),
                constants=dict(data.get("constants", {})),
                empty_slot=data.get("empty_slot", "pass"),
                description=data.get("description", ""),
                tests=tuple(Fixture.from_json(fixture) for fixture in data.get("tests", ())),
                health=None if data.get("health") is None else Health.from_json(data["health"]),
                config=Section.from_json(data.get("config", {})),
                trace=TraceWords.from_json(data.get("trace", {})),
                entities=Entities.from_json(data["entities"]) if data.get("entities") else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(Place("manifest"), "", f"is not one that this version can read ({error!r}).") from error


def load_manifest(path: Path) -> Manifest:
    """Raises :class:`BadInput` with file, line, field and what is allowed."""
    document = documents.read(path)
    documents.validate(document, unpacked(SCHEMA))
    manifest = Manifest.from_json(document.data)
    _check_maps(manifest, document)
    check_config(manifest.maps, manifest.config, document)
    _check_needs(manifest, document)
    _check_verdicts(manifest, document)
    _check_entities(manifest, document)
    _check_tests(manifest, document)
    _check_packets(manifest, document)
    return manifest


def _check_maps(manifest: Manifest, document: Document) -> None:
    for name, spec in manifest.maps.items():
        for word in ("table", "value", "order", "fields", "overlap", "needs"):
            if word in document.data["maps"][name] and spec.role is not Role.CONFIG:
                place, what = document.place(("maps", name, word)), f"maps.{name}.{word}"
                problem = f"stands on a map of role '{spec.role.value}'."
                raise BadInput(place, what, problem, "Only config maps are tables.")
        for word in ("on_layout_change", "merge", "sums"):
            if word in document.data["maps"][name] and not spec.role.handed_over:
                place, what = document.place(("maps", name, word)), f"maps.{name}.{word}"
                problem = f"stands on a map of role '{spec.role.value}', which no reload hands over."
                raise BadInput(place, what, problem, "Only state and stats are handed over.")


def _check_needs(manifest: Manifest, document: Document) -> None:
    for path, names in _needs(manifest):
        for name in names:
            if name not in manifest.constants:
                what = f"{path[0]}.{path[1]}.needs" if path[0] == "maps" else f"{path[0]}[{path[1]}].needs"
                raise unknown_word(document.place(path), f"{what}: no such constant", name, list(manifest.constants))


def _needs(manifest: Manifest) -> Iterator[Tuple[Tuple[Union[str, int], ...], Tuple[str, ...]]]:
    for name, spec in manifest.maps.items():
        yield ("maps", name, "needs"), spec.needs
    for number, fixture in enumerate(manifest.tests):
        yield ("tests", number, "needs"), fixture.needs


def _check_verdicts(manifest: Manifest, document: Document) -> None:
    names = [verdict.name for verdict in manifest.verdicts]
    for number, verdict in enumerate(names):
        if verdict in names[:number]:
            place = document.place(("verdicts", number, "name"))
            raise BadInput(place, f"verdicts[{number}].name", f"{verdict!r} is verdict {names.index(verdict)} already.")
    for verdict in manifest.trace.mitigations:
        if verdict not in names:
            place = document.place(("trace", "mitigations", verdict))
            raise unknown_word(place, f"trace.mitigations.{verdict}", verdict, names)
    for verdict in manifest.health.verdicts if manifest.health else ():
        if verdict not in names:
            place = document.place(("health", "verdicts", verdict))
            raise unknown_word(place, f"health.verdicts.{verdict}", verdict, names)


def _check_entities(manifest: Manifest, document: Document) -> None:
    found = manifest.entities
    if found is None:
        return
    place = document.place(("entities", "map"))
    counting = [name for name, spec in manifest.maps.items() if spec.role is Role.STATS]
    if found.map not in counting:
        raise unknown_word(place, "entities.map: no map of role stats", found.map, counting)


def _check_tests(manifest: Manifest, document: Document) -> None:
    names = [fixture.name for fixture in manifest.tests]
    verdicts = [verdict.name for verdict in manifest.verdicts]
    for number, fixture in enumerate(manifest.tests):
        if fixture.name in names[:number]:
            place = document.place(("tests", number, "name"))
            problem = f"{fixture.name!r} is the name of tests[{names.index(fixture.name)}] already."
            raise BadInput(place, f"tests[{number}].name", problem)
        if fixture.expect is not None and fixture.expect not in verdicts:
            place = document.place(("tests", number, "expect"))
            raise unknown_word(place, f"tests[{number}].expect", fixture.expect, verdicts)
        for table in fixture.tables:
            known = [name for name, spec in manifest.maps.items() if spec.table is not None]
            if table not in known:
                place = document.place(("tests", number, "tables", table))
                raise unknown_word(place, f"tests[{number}].tables.{table}", table, known)


def _check_packets(manifest: Manifest, document: Document) -> None:
    for number, fixture in enumerate(manifest.tests):
        try:
            frame(fixture.packet, f"tests[{number}].packet")
            hexadecimal(fixture.output or "", f"tests[{number}].output", LONGEST)
        except BadInput as mistake:
            raise document.locate(mistake) from None
