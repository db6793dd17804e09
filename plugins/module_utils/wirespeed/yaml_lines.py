# SPDX-License-Identifier: GPL-3.0-or-later
"""Read one YAML document into plain data, with the line of every key and list item."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from .errors import BadInput, MissingPrerequisite, Place

Keys = Tuple[str, ...]

LARGEST_FILE = 1 << 20
MOST_NODES = 20_000
DEEPEST = 16

_PLAIN = ("null", "bool", "int", "float", "str", "map", "seq")


def pointer(path: Keys) -> str:
    """The path as a JSON Pointer (RFC 6901): ``/tuning/drop/rings/rx``."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def nearest(lines: Mapping[str, int], field: str) -> Optional[int]:
    """The line of ``tests[3].packet.ipv4``, or of the nearest part around it."""
    at = "".join(f"/{part}" for part in re.sub(r"\[(\d+)\]", r".\1", field).split(".") if part)
    while at and at not in lines:
        at = at.rpartition("/")[0]
    return lines.get(at)


def read(path: Path) -> Tuple[Any, Dict[str, int]]:
    """Data of null, bool, int, float, str, list and dict; lines by JSON pointer.

    Raises :class:`BadInput` with file and line for broken YAML, duplicate keys, keys that are no
    text, tags beyond YAML's own, and a document too large or too deep (aliases count each time).
    """
    try:
        import yaml
    except ImportError:
        raise MissingPrerequisite(
            f"{path.name} is YAML, and the Python library yaml is missing.", "Install python3-yaml."
        ) from None
    # libyaml's parser gives the same nodes ten times as fast; PyYAML may have been built without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(_text(path), Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadInput(
            Place(str(path), mark.line + 1 if mark else None),
            "",
            f"is not valid YAML: {error.problem or error.context}.",
            "Check indentation, quotes and colons around that line.",
        ) from None
    except yaml.YAMLError as error:
        raise BadInput(Place(str(path)), "", f"is not valid YAML: {error}.") from None
    if root is None:
        raise BadInput(Place(str(path)), "", "is empty.")
    return _Reader(str(path)).read(root)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(Place(str(path)), "", f"is larger than {LARGEST_FILE} bytes.", "Split it.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BadInput(Place(str(path)), "", f"is not UTF-8 at byte {error.start}.") from None


class _Reader:
    """Turns a YAML node tree into plain data; a file's names and limits in one place."""

    def __init__(self, source: str) -> None:
        from yaml.constructor import SafeConstructor

        self._source = source
        self._scalars = SafeConstructor()
        self._nodes = 0
        self.lines: Dict[str, int] = {}

    def read(self, root: Any) -> Tuple[Any, Dict[str, int]]:
        return self._value(root, ()), self.lines

    def _value(self, node: Any, path: Keys) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(pointer(path), line)
        self._nodes += 1
        if self._nodes > MOST_NODES or len(path) > DEEPEST:
            raise self._bad(line, path, f"the document has more than {MOST_NODES} values or {DEEPEST} levels.")
        kind = node.tag.rpartition(":")[2]
        if not node.tag.startswith("tag:yaml.org,2002:") or kind not in _PLAIN:
            raise self._bad(line, path, f"has the tag {node.tag!r}, which is no plain data.", "Quote the value.")
        if kind == "map":
            return self._mapping(node, path)
        if kind == "seq":
            return [self._value(item, (*path, str(i))) for i, item in enumerate(node.value)]
        try:
            return self._scalars.construct_object(node)
        except ValueError as error:
            raise self._bad(line, path, f"{node.value!r} cannot be read: {error}.", "Quote it.") from None

    def _mapping(self, node: Any, path: Keys) -> Dict[str, Any]:
        data: Dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if key_node.tag != "tag:yaml.org,2002:str":
                remedy = "Quote it; merge keys (<<) are not supported."
                raise self._bad(line, path, f"the key {key!r} is no text.", remedy)
            if key in data:
                first = self.lines[pointer((*path, key))]
                problem = f"the key {key!r} is given twice, first in line {first}."
                raise self._bad(line, (*path, key), problem, "Keep one.")
            self.lines[pointer((*path, key))] = line
            data[key] = self._value(value_node, (*path, key))
        return data

    def _bad(self, line: int, path: Keys, problem: str, remedy: str = "") -> BadInput:
        return BadInput(Place(self._source, line), ".".join(path), problem, remedy)
