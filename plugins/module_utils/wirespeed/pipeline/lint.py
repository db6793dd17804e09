# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with a manifest and its object, and what an author should think about, by file and line."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Optional, Tuple

from ..errors import BadInput, Place, WirespeedError
from . import document as documents
from . import fixtures
from .advice import advice
from .document import Document
from .manifest import SCHEMA, Manifest, load_manifest
from .source import PipelineSource

_LEGACY_MAPS = "maps"


class Severity(str, Enum):
    ERROR = "error"
    ADVICE = "advice"


@dataclass(frozen=True)
class Finding:
    severity: Severity
    place: Place
    field: str
    text: str

    def __str__(self) -> str:
        mark = f"{self.severity.value}: {self.field}: " if self.field else f"{self.severity.value}: "
        return f"{self.place}: {mark}{self.text}"


def lint(path: Path, known: Mapping[str, Any], load: bool = False) -> Tuple[Finding, ...]:
    """By line. ``known`` is of :mod:`.sizes`; ``load``: also the verifier and the test packets."""
    found: List[Finding] = []
    try:
        document = documents.read(path)
    except BadInput as mistake:
        return (_error(Document(str(path), {}, {}), mistake),)
    mistakes = documents.mistakes(document, SCHEMA)
    if mistakes:
        return tuple(_error(document, mistake) for mistake in mistakes)
    source = _attempt(document, found, lambda: _source(path, known))
    if source is not None:
        _attempt(document, found, lambda: found.extend(_error(document, each) for each in _deeper(source)))
        if load and not found:
            _attempt(document, found, lambda: _in_kernel(source))
        _attempt(document, found, lambda: found.extend(_advice(document, source, known["node"]["cpus"])))
    return tuple(sorted(found, key=lambda each: each.place.line or 0))


def read_source(path: Path, manifest: Manifest) -> PipelineSource:
    """The object beside a manifest. Raises :class:`BadInput`."""
    code = path.parent / manifest.object
    try:
        data = code.read_bytes()
    except OSError as error:
        remedy = "Compile the object, or correct its name."
        raise BadInput(Place(str(path)), "object", f"{code} cannot be read: {error.strerror}.", remedy) from None
    return PipelineSource(manifest, data, place=Place(str(code)))


def _source(path: Path, known: Mapping[str, Any]) -> PipelineSource:
    return read_source(path, load_manifest(path)).on(known)


def _deeper(source: PipelineSource) -> Iterator[BadInput]:
    """What loading would find out, or only a packet."""
    if source.elf.section(_LEGACY_MAPS):
        problem = "the object declares maps in section 'maps', which libbpf 1.0 and later refuse."
        yield BadInput(source.place, "maps", problem, 'Declare them in SEC(".maps").')
    called = [name for name in source.elf.referred(".maps") if name in source.elf.programs()]
    for name in called:
        if name not in source.manifest.programs:
            problem = f"a program array of the object holds program '{name}', which is not loaded."
            yield BadInput(source.place, "stages", problem, "Name it here; libbpf cannot fill the array without it.")
    for number in range(len(source.manifest.tests)):
        try:
            fixtures.check_one(source, number)
        except BadInput as mistake:
            yield mistake


def _in_kernel(source: PipelineSource) -> None:
    fixtures.load_once(source)
    fixtures.require(source)


def _attempt(document: Document, found: List[Finding], what: Callable[[], Any]) -> Optional[Any]:
    try:
        return what()
    except BadInput as mistake:
        found.append(_error(document, mistake))
    except WirespeedError as error:
        found.append(Finding(Severity.ERROR, document.place(()), "", str(error)))
    except (LookupError, ValueError, struct.error, RecursionError) as error:
        text = f"the type information of the object contradicts itself ({error!r}). Build it again."
        found.append(Finding(Severity.ERROR, document.place(()), "", text))
    return None


def _advice(document: Document, source: PipelineSource, cpus: int) -> Iterator[Finding]:
    for field, text in advice(source, cpus):
        yield Finding(Severity.ADVICE, document.around(field), field, text)


def _error(document: Document, mistake: BadInput) -> Finding:
    found = document.locate(mistake)
    field, colon, more = found.field.partition(": ")
    text = f"{more}: {found.detail}" if colon else found.detail
    return Finding(Severity.ERROR, found.place, field, f"{text} {found.remedy}".strip())
