# SPDX-License-Identifier: GPL-3.0-or-later
"""An intent file for the command line: its data, and the line of each of its parts for error texts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping

from .errors import BadInput, Place
from .yaml_lines import nearest, read


@dataclass(frozen=True)
class IntentFile:
    """``lines`` maps a JSON pointer to a line, from 1."""

    path: str
    data: Dict[str, Any]
    lines: Mapping[str, int]

    @contextmanager
    def locating(self) -> Iterator[None]:
        """An error about the intent gets the line of its field, or of the nearest part around it."""
        try:
            yield
        except BadInput as error:
            if error.place.source != self.path or error.place.line is not None:
                raise
            raise error.at(Place(self.path, nearest(self.lines, error.field))) from None


def read_intent(path: str) -> IntentFile:
    """Raises :class:`BadInput` with the line for what is no YAML mapping; its words are checked later."""
    data, lines = read(Path(path))
    if not isinstance(data, dict):
        raise BadInput(Place(path), "", "is not a mapping.", "It has the keys 'nics' and 'pipelines'.")
    return IntentFile(path, data, lines)
