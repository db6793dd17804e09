# SPDX-License-Identifier: GPL-3.0-or-later
"""Profile documents that remember where each value stands, as one set that travels as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

from ..errors import BadInput, Place
from ..yaml_lines import Keys, pointer

FORMAT = 1

Path = Keys


@dataclass(frozen=True)
class Document:
    """One profile file.

    ``source`` is what an origin shows: the file's name for a built-in profile, its path for a site's.
    ``layer`` is the index of its directory: 0 for the weakest. ``lines`` maps JSON pointers to lines.
    """

    source: str
    layer: int
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    @property
    def name(self) -> str:
        return str(self.data["profile"])

    @property
    def extends(self) -> str:
        return str(self.data.get("extends", ""))

    def place(self, path: Path = ()) -> Place:
        """The line of ``path``, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(pointer(path[:length]))
            if line is not None:
                return Place(self.source, line)
        return Place(self.source)


_DEEPEST = {"tuning": 4, "limits": 3, "reads_attached": 3}


def _is_told(path: str) -> bool:
    """Whether it leads to an entry or lies above one: nothing inside an entry has an origin of its own."""
    parts = path.split("/")
    return len(parts) - 1 <= _DEEPEST.get(parts[1] if len(parts) > 1 else "", 2)


@dataclass(frozen=True)
class ProfileSet:
    """All documents at hand, weakest directory first."""

    documents: Tuple[Document, ...]

    @property
    def names(self) -> List[str]:
        return sorted({document.name for document in self.documents})

    def named(self, name: str) -> List[Document]:
        """The built-in profile of that name and what sites lay over it."""
        return [document for document in self.documents if document.name == name]

    def to_json(self) -> Dict[str, Any]:
        """For a target: without the lines of what lies inside an entry, which is half of the whole."""
        return {
            "format": FORMAT,
            "documents": [
                {
                    "source": each.source,
                    "layer": each.layer,
                    "data": dict(each.data),
                    "lines": {path: line for path, line in each.lines.items() if _is_told(path)},
                }
                for each in self.documents
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ProfileSet:
        """The inverse of :meth:`to_json`; needs neither files nor YAML nor the schema."""
        if data.get("format") != FORMAT:
            raise BadInput(
                Place("profiles"),
                "format",
                f"is {data.get('format')!r}; this version of Wirespeed reads {FORMAT}.",
                "Use one version on the control node and on the target.",
            )
        keys = ("source", "layer", "data", "lines")
        return cls(tuple(Document(*(each[key] for key in keys)) for each in data["documents"]))
