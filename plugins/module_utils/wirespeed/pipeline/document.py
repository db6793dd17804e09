# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML document that remembers the line of each of its parts, checked against a JSON Schema."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Union

from .. import yaml_lines
from ..errors import BadInput, MissingPrerequisite, Place
from ..model.intent import unknown_word
from ..yaml_lines import pointer

Key = Union[str, int]

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "number": "a number",
}
_SHOWN = 60


@dataclass(frozen=True)
class Document:
    """``lines`` maps the JSON pointer of a part to its line, from 1."""

    source: str
    data: Any
    lines: Mapping[str, int]

    def place(self, path: Sequence[Key]) -> Place:
        return Place(self.source, self.lines.get(pointer(tuple(map(str, path)))))

    def around(self, field: str) -> Place:
        """Of a field as errors name it, ``tests[3].packet.ipv4``, or of the nearest part around it that is there."""
        return Place(self.source, yaml_lines.nearest(self.lines, field))

    def locate(self, mistake: BadInput) -> BadInput:
        """With this document's line, where the mistake has none and is about a part of the document."""
        field = mistake.field.partition(": ")[0]
        known = isinstance(self.data, Mapping) and re.split(r"[.\[]", field)[0] in self.data
        return mistake.at(self.around(field)) if known and mistake.place.line is None else mistake


def read(path: Path) -> Document:
    """Raises :class:`BadInput` for a file that cannot be read or is not YAML."""
    return Document(str(path), *yaml_lines.read(path))


def validate(document: Document, schema: Path) -> None:
    """Raises :class:`BadInput` for the first part, in order of lines, that the schema refuses."""
    for mistake in mistakes(document, schema):
        raise mistake


def mistakes(document: Document, schema: Path) -> List[BadInput]:
    """All that the schema refuses, in order of lines."""
    try:
        import jsonschema
    except ImportError as error:
        raise MissingPrerequisite(
            "Manifests are checked with jsonschema.", "Install it: package python3-jsonschema."
        ) from error
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    found = [_sentence(document, error) for error in validator.iter_errors(document.data)]
    return sorted(found, key=lambda each: each.place.line or 0)


def _sentence(document: Document, error: Any) -> BadInput:
    path: List[Key] = list(error.absolute_path)
    place, field = document.place(path), dotted(path)
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        word = next(key for key in error.instance if key not in allowed)
        return unknown_word(document.place([*path, word]), dotted([*path, word]), str(word), allowed)
    if error.validator == "enum":
        return unknown_word(place, field, str(error.instance), [str(each) for each in error.validator_value])
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return BadInput(place, field, f"has no '{missing}'.", "It is required.")
    if error.validator == "type":
        allowed = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return BadInput(
            place, field, f"is {_short(error.instance)}, not {' or '.join(_TYPES[kind] for kind in allowed)}."
        )
    if error.validator == "anyOf":
        missing = " or ".join(f"'{key}'" for choice in error.validator_value for key in choice["required"])
        return BadInput(place, field, f"has no {missing}.", "One of them is required.")
    hint = error.schema.get("description", "")
    problem = error.message if len(error.message) <= 2 * _SHOWN else f"{_short(error.instance)} is not allowed"
    return BadInput(place, field, f"{problem}.", f"Expected: {hint}" if hint else "")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def dotted(path: Sequence[Key]) -> str:
    """``maps.deny_v4.role``, ``verdicts[2].action``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")
