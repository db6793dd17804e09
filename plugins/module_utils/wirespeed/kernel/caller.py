# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether whoever started this process still reads what it says, and whether others answer."""

from __future__ import annotations

import select
import socket

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


def listening(descriptor: int = 1) -> bool:
    """False when the reading end is closed: the SSH session that carries it, or the program behind a pipe, is gone.

    A connection that merely carries nothing any more (a cable, a filter) looks open until TCP gives up.
    """
    watch = select.poll()
    watch.register(descriptor, 0)
    return not any(event & _GONE for _descriptor, event in watch.poll(0))


def answers(host: str, port: int, patience: float) -> bool:
    """Whether a TCP connection is taken or refused within ``patience`` seconds: either way somebody is there."""
    try:
        with socket.create_connection((host, port), timeout=patience):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
