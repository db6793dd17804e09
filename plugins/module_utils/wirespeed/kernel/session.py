# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address of this machine the SSH connection of this run came to."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Iterator, Optional

_GENERATIONS = 16
_VARIABLE = "SSH_CONNECTION"  # client address, client port, server address, server port (ssh(1))


def server_address() -> Optional[bytes]:
    """In network order; None where the run did not come over SSH, or where that cannot be told.

    sudo hands the variable on to nobody, so the processes that this one descends from are asked for it too.
    """
    for connection in _connections():
        words = connection.split()
        try:
            address = ipaddress.ip_address(words[2].partition("%")[0])
        except (IndexError, ValueError):
            continue
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).packed
    return None


def _connections() -> Iterator[str]:
    own = os.environ.get(_VARIABLE)
    if own:
        yield own
    pid = os.getppid()
    for dummy in range(_GENERATIONS):
        if pid <= 1:
            return
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        start = _VARIABLE.encode() + b"="
        for line in environment:
            if line.startswith(start):
                yield line[len(start) :].decode("ascii", "replace")
        pid = int(status.rpartition(")")[2].split()[1])
