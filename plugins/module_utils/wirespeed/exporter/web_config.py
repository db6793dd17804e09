# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may scrape, and by TLS or not: the file that Prometheus' own exporters take with ``--web.config.file``.

Served here: ``tls_server_config`` (``cert_file``, ``key_file``, ``client_auth_type``, ``client_ca_file``,
``min_version``) and ``basic_auth_users`` (bcrypt). Relative paths are relative to the file. What else that format
has is refused by name, not ignored.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Tuple

from ..errors import BadInput, Place
from ..packaged import unpacked
from ..pipeline import document as documents
from ..pipeline.document import Document

SCHEMA = Path(__file__).with_name("web_config.schema.json")
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_CLIENTS = {
    "NoClientCert": ssl.CERT_NONE,
    "RequestClientCert": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


@dataclass(frozen=True)
class WebConfig:
    """``users`` maps a name to the bcrypt hash of its password; empty lets everybody in. ``context`` None: no TLS.
    ``files`` are those that it was made from, with their times of change."""

    context: Optional[ssl.SSLContext] = None
    users: Mapping[str, str] = field(default_factory=dict)
    files: Tuple[Tuple[str, int], ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether none of its files has changed: certificates are renewed while the exporter runs."""
        return all(_changed(path) == at for path, at in self.files)


def load(path: Path) -> WebConfig:
    """Raises :class:`BadInput` with file, line and field."""
    document = documents.read(path)
    if document.data is None:
        raise BadInput(Place(str(path)), "", "is empty.", "Leave it out to serve everybody without TLS.")
    documents.validate(document, unpacked(SCHEMA))
    said: Mapping[str, Any] = document.data.get("tls_server_config") or {}
    files = [
        str(path),
        *(str(_path(path, said[key])) for key in ("cert_file", "key_file", "client_ca_file") if key in said),
    ]
    times = tuple((name, _changed(name)) for name in files)
    users = dict(document.data.get("basic_auth_users", {}))
    return WebConfig(_context(path, document, said) if said else None, users, times)


def _context(path: Path, document: Document, said: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[said.get("min_version", "TLS12")]
    section = "tls_server_config"
    try:
        context.load_cert_chain(str(_path(path, said["cert_file"])), str(_path(path, said["key_file"])))
    except (OSError, ssl.SSLError) as error:
        problem = f"certificate {said['cert_file']} and key {said['key_file']} cannot be used: {_reason(error)}."
        remedy = "Both are PEM files; the key belongs to the certificate and has no passphrase."
        raise BadInput(document.place((section, "cert_file")), f"{section}.cert_file", problem, remedy) from None
    clients = said.get("client_auth_type", "NoClientCert")
    if clients != "NoClientCert" and "client_ca_file" not in said:
        place = document.place((section, "client_auth_type"))
        raise BadInput(
            place, f"{section}.client_auth_type", f"is {clients!r}.", "Name the clients' client_ca_file too."
        )
    if "client_ca_file" in said:
        try:
            context.load_verify_locations(cafile=str(_path(path, said["client_ca_file"])))
        except (OSError, ssl.SSLError) as error:
            place = document.place((section, "client_ca_file"))
            problem = f"{said['client_ca_file']} cannot be used: {_reason(error)}."
            raise BadInput(place, f"{section}.client_ca_file", problem, "It is a PEM file of certificates.") from None
    context.verify_mode = _CLIENTS[clients]
    return context


def _reason(error: Exception) -> str:
    """OpenSSL's own word, or the system's."""
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error).lower().replace("_", " ")


def _path(file: Path, named: str) -> Path:
    return file.parent / named


def _changed(path: str) -> int:
    """In nanoseconds; 0 for a file that is not there."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
