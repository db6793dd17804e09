# SPDX-License-Identifier: GPL-3.0-or-later
"""Read directories of profiles: YAML with line numbers, held against the schema, expressions parsed.

Runs where the files are (control node, command line); a target only needs ``ProfileSet.from_json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, Union

from .. import expression, yaml_lines
from ..errors import BadInput, MissingPrerequisite, Place
from ..model.intent import unknown_word
from ..packaged import unpacked
from .document import Document, ProfileSet
from .document import Path as Keys

__all__ = ["ProfileSet", "load"]

BUILT_IN = Path(__file__).resolve().parent
SCHEMA = BUILT_IN / "schema.json"

_PROSE = ("description", "counters")


def load(directories: Sequence[Union[str, Path]]) -> ProfileSet:
    """All ``*.yml`` of the directories, weakest directory first. Raises :class:`BadInput`."""
    documents = [
        _document(path, layer) for layer, directory in enumerate(directories) for path in files(Path(directory))
    ]
    profiles = ProfileSet(tuple(documents))
    for mistake in name_mistakes(profiles):
        raise mistake
    return profiles


def files(directory: Path) -> List[Path]:
    """Its profiles, by name. Raises :class:`BadInput` when it is no directory."""
    directory = unpacked(directory)
    if not directory.is_dir():
        raise BadInput(Place(str(directory)), "", "is not a directory of profiles.", "Correct the path.")
    return sorted(path for path in directory.iterdir() if path.suffix in (".yml", ".yaml") and path.is_file())


def _document(path: Path, layer: int) -> Document:
    """The built-in profiles are held to the schema when they are built: at run time that would take half a second."""
    document = read(path, layer)
    found = [] if path.parent == unpacked(BUILT_IN) else mistakes(document)
    if found:
        raise found[0]
    return document


def read(path: Path, layer: int) -> Document:
    """One file, not yet looked at beyond its YAML. Raises :class:`BadInput`."""
    data, lines = yaml_lines.read(path)
    built_in = path.resolve().parent == unpacked(BUILT_IN)
    return Document(path.name if built_in else str(path), layer, data, lines)


def mistakes(document: Document) -> List[BadInput]:
    """Everything wrong inside one document, by line; what it says of others is not looked at."""
    found = list(_against_schema(document))
    if isinstance(document.data, Mapping):
        for keys, text in expressions(document.data):
            try:
                expression.parse(text, document.place(keys), ".".join(keys))
            except BadInput as mistake:
                found.append(mistake)
    return sorted(found, key=lambda mistake: mistake.place.line or 0)


def expressions(data: Mapping[str, Any]) -> Iterator[Tuple[Keys, str]]:
    """The texts that hold expressions, with the path of each."""
    return ((keys, text) for keys, text in _texts(data, ()) if keys[0] not in _PROSE and expression.is_expression(text))


def name_mistakes(profiles: ProfileSet) -> Iterator[BadInput]:
    """Names given twice in a directory, and ``extends`` that leads nowhere or back to itself."""
    seen: Dict[Tuple[int, str], Document] = {}
    for document in profiles.documents:
        twin = seen.setdefault((document.layer, document.name), document)
        if twin is not document:
            yield BadInput(
                document.place(("profile",)),
                "profile",
                f"{document.name!r} is already the profile in {twin.source}.",
                "Names are unique in a directory; a later directory may lay over an earlier one.",
            )
    for document in profiles.documents:
        if document.extends and document.extends not in profiles.names:
            yield unknown_word(document.place(("extends",)), "extends", document.extends, profiles.names)
        yield from _circles(profiles, document)


def _circles(profiles: ProfileSet, document: Document) -> Iterator[BadInput]:
    """A profile must not extend itself, however far around."""
    reached = {document.name}
    waiting = [document]
    while waiting:
        for parent in profiles.named(waiting.pop().extends):
            if parent.name == document.name:
                place = document.place(("extends",))
                yield BadInput(place, "extends", f"{document.name!r} extends itself.", "Remove it.")
                return
            if parent.name not in reached:
                reached.add(parent.name)
                waiting.append(parent)


def _texts(value: Any, path: Keys) -> Iterator[Tuple[Keys, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _texts(item, (*path, str(i)))
    elif isinstance(value, str):
        yield path, value


def _against_schema(document: Document) -> Iterator[BadInput]:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise MissingPrerequisite(
            "Profiles are checked by JSON Schema, and the Python library jsonschema is missing.",
            "Install python3-jsonschema.",
        ) from None
    schema = json.loads(unpacked(SCHEMA).read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(document.data):
        yield _mistake(document, error)


def _mistake(document: Document, error: Any) -> BadInput:
    """One schema error in the words of the person who wrote the file."""
    if error.validator == "oneOf" and error.context:
        return _mistake(document, _nearest(error))
    keys: Keys = tuple(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", ()))
        stranger = next(name for name in error.instance if name not in known)
        return unknown_word(document.place((*keys, stranger)), ".".join((*keys, stranger)), stranger, known)
    if "propertyNames" in error.absolute_schema_path:
        keys = (*keys, str(error.instance))
    place, field = document.place(keys), ".".join(keys)
    if error.validator == "enum":
        return unknown_word(place, field, str(error.instance), [str(word) for word in error.validator_value])
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return BadInput(place, field, f"lacks {', '.join(repr(name) for name in missing)}.", "Add it.")
    if error.validator in ("type", "pattern"):
        return BadInput(place, field, f"is {error.instance!r}.", _hint(error))
    return BadInput(place, field, f"{error.message}.", _hint(error))


def _nearest(error: Any) -> Any:
    """Of several allowed forms, the first mistake in the one that knows most of the given keys."""
    forms: Dict[int, List[Any]] = {}
    for each in error.context:
        forms.setdefault(each.schema_path[0], []).append(each)
    strangers = {
        form: [each.validator for each in found].count("additionalProperties") for form, found in forms.items()
    }
    return forms[min(forms, key=lambda form: strangers[form])][0]


def _hint(error: Any) -> str:
    """The schema says in ``description`` what is allowed; a type alone speaks for itself."""
    said = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    if said:
        return f"Allowed: {said}."
    kinds = error.validator_value
    if error.validator == "type":
        return f"Allowed: {' or '.join([kinds] if isinstance(kinds, str) else kinds)}."
    return f"Allowed: {kinds}."
