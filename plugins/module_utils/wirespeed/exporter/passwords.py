# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP basic authentication (RFC 7617) against bcrypt hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import MissingPrerequisite

_REMEMBERED = 100
_NOBODY = "$2b$10$1111111111111111111111OQyQPHYgAmoEP8Oa0R5PqUqYpWQyYGa"
"""Tried for a name that is not there: the answer takes as long as for one that is."""


def library() -> Any:
    """bcrypt. Raises :class:`MissingPrerequisite`."""
    try:
        import bcrypt
    except ImportError as error:
        raise MissingPrerequisite(
            "Passwords of the web configuration are checked with bcrypt, which is not installed.",
            "Install it: package python3-bcrypt (bcrypt on PyPI).",
        ) from error
    return bcrypt


class Passwords:
    """bcrypt is slow on purpose, and a scraper comes four times a minute: who was let in is remembered, by a keyed
    digest that is worth nothing elsewhere."""

    def __init__(self) -> None:
        self._bcrypt = library()
        self._key = os.urandom(32)
        self._good: Dict[Tuple[str, str], bytes] = {}

    def admits(self, header: str, users: Mapping[str, str]) -> bool:
        """``header`` is the value of ``Authorization``; empty where there was none."""
        given = credentials(header)
        if given is None:
            return False
        user, password = given
        stored = users.get(user)
        if stored is not None and hmac.compare_digest(self._good.get((user, stored), b""), self._digest(password)):
            return True
        try:
            right = bool(self._bcrypt.checkpw(password, (stored or _NOBODY).encode()))
        except ValueError:
            right = False
        if stored is None or not right:
            return False
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[(user, stored)] = self._digest(password)
        return True

    def _digest(self, password: bytes) -> bytes:
        return hmac.new(self._key, password, hashlib.sha256).digest()


def credentials(header: str) -> Optional[Tuple[str, bytes]]:
    """User and password; None where the header is not a whole one of the scheme Basic. bcrypt takes 72 bytes and no
    NUL."""
    scheme, dummy, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
        name = user.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    if not colon or b"\0" in password or len(password) > 72:
        return None
    return name, password
