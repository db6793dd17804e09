# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of JSON Schemas: every path that a document may have, with its type and meaning."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from .markup import table

Schema = Mapping[str, Any]


def page(title: str, intro: str, schema: Schema, file: str) -> str:
    """``file`` is the name under which the site has the schema itself."""
    lines = [f"# {title}", "", intro, "", f"For an editor or a check of your own: [{file}]({file}).", ""]
    lines += table(["path", "type", ""], [list(row) for row in _rows(schema, schema, "", frozenset())])
    shared = schema.get("$defs") or {}
    for name, part in shared.items():
        lines += [f"## {name} {{#{anchor(name)}}}", "", _meaning(schema, part), ""]
        rows = [list(row) for row in _rows(schema, part, "", frozenset())]
        if rows:
            lines += table(["path", "type", ""], rows)
    return "\n".join(lines)


def anchor(name: str) -> str:
    return "def-" + name.replace("_", "-")


def _rows(whole: Schema, part: Schema, path: str, seen: "frozenset[str]") -> Iterator[Tuple[str, str, str]]:
    """Parts of a schema that are shared are told once, in a section of their own, and named here."""
    required: Set[str] = set(part.get("required") or ())
    for name, member in _members(part).items():
        here = f"{path}.{name}" if path else name
        kind = _kind(member) + (", required" if name in required else "")
        yield f"`{here}`", kind, _meaning(whole, member)
        if "$ref" not in member:
            within = member.get("items") if isinstance(member.get("items"), dict) else member
            below = f"{here}[]" if within is not member else here
            if "$ref" not in within:
                yield from _rows(whole, within, below, seen)


def _members(part: Schema) -> Dict[str, Schema]:
    """Properties, those of the branches, and ``*`` for names of the author's own."""
    found: Dict[str, Schema] = {}
    for branch in (part, *(part.get("oneOf") or ()), *(part.get("anyOf") or ()), part.get("then"), part.get("else")):
        if isinstance(branch, dict):
            found.update(
                {name: each for name, each in (branch.get("properties") or {}).items() if isinstance(each, dict)}
            )
            if isinstance(branch.get("additionalProperties"), dict):
                found["*"] = branch["additionalProperties"]
    return found


def _kind(part: Schema) -> str:
    if "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if isinstance(part.get("items"), dict):
        return f"list of {_kind(part['items'])}"
    kinds = part.get("type") or [_kind(each) for each in part.get("oneOf") or part.get("anyOf") or ()]
    if "enum" in part and not kinds:
        return "one of"
    return kinds if isinstance(kinds, str) else " or ".join(dict.fromkeys(kinds))


def _meaning(whole: Schema, part: Schema) -> str:
    texts: List[str] = []
    if part.get("description"):
        texts.append(str(part["description"]))
    if "enum" in part:
        texts.append("Allowed: " + ", ".join(f"`{_word(each)}`" for each in part["enum"]) + ".")
    if "const" in part:
        texts.append(f"Always `{_word(part['const'])}`.")
    limits = [f"{word} {part[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in part]
    if limits:
        texts.append(", ".join(limits) + ".")
    if "pattern" in part:
        texts.append(f"Matches `{part['pattern']}`.")
    return "\n\n".join(texts)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
