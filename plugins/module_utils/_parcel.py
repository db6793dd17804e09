# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection: a bundle as one text, as it travels in the module option ``bundle``."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any, Dict, Mapping

from .wirespeed.errors import BadInput, Place

MAX_BYTES = 64 << 20


def pack(bundle: Mapping[str, Any]) -> str:
    """The same bundle always gives the same text."""
    plain = json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(plain, 6)).decode("ascii")


def unpack(text: str) -> Dict[str, Any]:
    """Raises :class:`BadInput` for a text that :func:`pack` has not made, or that unpacks to over 64 MiB."""
    try:
        inflater = zlib.decompressobj()
        plain = inflater.decompress(base64.b64decode(text, validate=True), MAX_BYTES)
        if not inflater.eof:
            raise ValueError(f"it is cut off or larger than {MAX_BYTES} bytes")
        bundle = json.loads(plain)
        if not isinstance(bundle, dict):
            raise ValueError("it is not a mapping")
    except (binascii.Error, zlib.error, ValueError) as error:
        raise BadInput(Place("bundle"), "", f"cannot be read: {error}.", "Leave this option out.") from None
    return bundle
