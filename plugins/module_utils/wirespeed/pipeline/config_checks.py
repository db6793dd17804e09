# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest's words on configuration must hold together, beyond their schema."""

from __future__ import annotations

from typing import Mapping

from ..config.section import Section
from ..config.tables import RECORDS
from ..errors import BadInput
from .document import Document
from .map_spec import MapSpec

_TRIES = ("prefix_set", RECORDS)


def check_config(maps: Mapping[str, MapSpec], config: Section, document: Document) -> None:
    """Raises :class:`BadInput` with the line."""
    for name, spec in maps.items():
        _check_words(name, spec, document)
    migrations = config.migrations
    for number, migration in enumerate(migrations):
        place, field = document.place(("config", "migrations", number, "from")), f"config.migrations[{number}]"
        if migration.before >= config.schema:
            problem = f"is {migration.before}, but the schema is {config.schema}."
            raise BadInput(place, f"{field}.from", problem, "A migration begins below the schema.")
        if migration.name in [each.name for each in migrations[:number]]:
            raise BadInput(place, f"{field}.name", f"{migration.name!r} is the name of another one.", "Rename it.")
    for version in range(1, config.schema):
        if version not in [migration.before for migration in migrations]:
            problem = f"is {config.schema}, but no migration is from {version}."
            remedy = "Say what becomes of older documents; where nothing does, give one with 'steps: []'."
            raise BadInput(document.place(("config", "schema")), "config.schema", problem, remedy)


def _check_words(name: str, spec: MapSpec, document: Document) -> None:
    said = document.data["maps"][name]
    for word, kinds in (("fields", (RECORDS,)), ("overlap", _TRIES)):
        if word in said and spec.table not in kinds:
            problem = f"stands on a table of kind {spec.table}."
            place = document.place(("maps", name, word))
            raise BadInput(place, f"maps.{name}.{word}", problem, f"Only {' and '.join(kinds)} have it.")
    if spec.table == RECORDS and "value" in said:
        place = document.place(("maps", name, "value"))
        raise BadInput(place, f"maps.{name}.value", "stands on a table of records.", "Their rows say it themselves.")
