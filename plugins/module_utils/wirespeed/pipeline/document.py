# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML document that remembers the line of each of its parts, checked against a JSON Schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Union

from .. import yaml_lines
from ..errors import BadInput, MissingPrerequisite, Place
from ..model.intent import unknown_word
from ..yaml_lines import pointer

Key = Union[str, int]

_TYPES = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number"}


@dataclass(frozen=True)
class Document:
    """``lines`` maps the JSON pointer of a part to its line, from 1."""

    source: str
    data: Any
    lines: Mapping[str, int]

    def place(self, path: Sequence[Key]) -> Place:
        return Place(self.source, self.lines.get(pointer(tuple(map(str, path)))))


def read(path: Path) -> Document:
    """Raises :class:`BadInput` for a file that cannot be read or is not YAML."""
    return Document(str(path), *yaml_lines.read(path))


def validate(document: Document, schema: Path) -> None:
    """Raises :class:`BadInput` for the first part, in order of lines, that the schema refuses."""
    try:
        import jsonschema
    except ImportError as error:
        raise MissingPrerequisite(
            "Manifests are checked with jsonschema.", "Install it: package python3-jsonschema."
        ) from error
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    errors = list(validator.iter_errors(document.data))
    if errors:
        raise min((_sentence(document, error) for error in errors), key=lambda each: each.place.line or 0)


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
        return BadInput(place, field, f"is {error.instance!r}, not {_TYPES.get(error.validator_value, '')}.")
    hint = error.schema.get("description", "")
    return BadInput(place, field, f"{error.message}.", f"Expected: {hint}" if hint else "")


def dotted(path: Sequence[Key]) -> str:
    """``maps.deny_v4.role``, ``verdicts[2].action``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")
