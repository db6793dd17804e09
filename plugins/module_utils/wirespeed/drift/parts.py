# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a report while it grows: a file for each, so that memory does not grow with the fleet."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Iterator

from .document import Host


class Parts:
    """``folder`` is this report's own; its files are named after nothing that a host can choose."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, host: str) -> bool:
        return self._path(host).exists()

    def keep(self, host: Host) -> None:
        """The later one of a host counts."""
        self._path(host["host"]).write_bytes(json.dumps(host).encode())

    def read(self, host: str) -> Host:
        return _host(self._path(host))

    def __iter__(self) -> Iterator[Host]:
        return map(_host, sorted(self._folder.glob("*.json")))

    def _path(self, host: str) -> Path:
        return self._folder / f"{hashlib.sha256(host.encode('utf-8', 'surrogatepass')).hexdigest()}.json"


def _host(path: Path) -> Host:
    return dict(json.loads(path.read_bytes()))
