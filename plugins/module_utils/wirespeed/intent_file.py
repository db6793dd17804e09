# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an intent file for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

from .errors import BadInput, MissingPrerequisite, Place

MAX_BYTES = 4 << 20


def read_intent(path: str) -> Dict[str, Any]:
    """The file's mapping, unchecked but for being YAML. Raises :class:`BadInput` with the line."""
    try:
        import yaml
    except ImportError:
        raise MissingPrerequisite(
            "PyYAML is missing, which reads intent files.", "Install it: Debian python3-yaml, or pip PyYAML."
        ) from None
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(Place(path), "", f"cannot be read: {error.strerror}.") from None
    if len(raw) > MAX_BYTES:
        raise BadInput(Place(path), "", f"has {len(raw)} bytes; an intent of at most {MAX_BYTES} is read.")
    try:
        data = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        raise BadInput(Place(path, line), "", f"is not YAML: {getattr(error, 'problem', error)}.") from None
    if not isinstance(data, dict):
        raise BadInput(Place(path), "", "is not a mapping.", "It has the keys 'nics' and 'pipelines'.")
    return data
