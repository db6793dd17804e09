# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running irqbalance is told to leave alone, over the socket that its own irqbalance-ui uses.

One request a connection, answered to root alone (SCM_CREDENTIALS). ``setup`` is answered with
``SLEEP 10 IRQ 24 LOAD 0 DIFF 0 CLASS 0 ... BANNED 00000000``: the interval, each banned interrupt, the
banned CPUs. ``settings ban irqs 24 25`` replaces the whole list, ``NONE`` empties it; there is no
answer. (irqbalance.c sock_handle, 1.5.0 to 1.9.5.) The list is the one of ``--banirq``; what ``--banmod``
or a policy script bans is kept elsewhere and not seen here.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
from pathlib import Path
from typing import Collection, FrozenSet, List, Tuple

from ..errors import KernelRefusal, NotSupported
from ..model.settings import NOT_RUNNING
from .netlink import refusal

_RUN = Path("/run/irqbalance")
_SOCKETS = Path("/proc/net/unix")
_ABSTRACT = re.compile(r" (@irqbalance\d+\.sock|@{108})$", re.MULTILINE)

PATIENCE = 30.0
"""Seconds. Before 1.9.4 it is deaf for one interval, ten seconds unless told otherwise, while it rescans."""

_BUFFER, _BUFFER_SINCE_1_9_5 = 500, 16384
"""Bytes of a request that are read; what is longer is cut without a word (before 1.9.5) or ignored."""


def banned() -> FrozenSet[int]:
    """Raises :class:`NotSupported` (``NOT_RUNNING``) where none runs, :class:`KernelRefusal` where it is mute."""
    return _banned_in(_ask("setup")[0])


def ban(interrupts: Collection[int]) -> None:
    """Replace the whole list. A ban is in force once :func:`banned` was answered after it.

    Raises :class:`KernelRefusal` (E2BIG) rather than have a number cut in two.
    """
    request = _request(interrupts)
    if not takes(interrupts):
        raise refusal(f"irqbalance ban of {len(interrupts)} interrupts", errno.E2BIG)
    _ask(request)


def takes(interrupts: Collection[int]) -> bool:
    """Whether the running version reads a list of this length."""
    length = len(_request(interrupts))
    return length < _BUFFER or (length < _BUFFER_SINCE_1_9_5 and _reads_long_requests())


def _request(interrupts: Collection[int]) -> str:
    return f"settings ban irqs {' '.join(map(str, sorted(interrupts))) or 'NONE'}"


def _reads_long_requests() -> bool:
    """A request that is read in part is closed with the rest unread, which the kernel tells as a reset."""
    return _ask("setup".ljust(_BUFFER + 1))[1]


def _banned_in(setup: str) -> FrozenSet[int]:
    if not re.match(r"SLEEP \d+ ", setup):
        raise KernelRefusal("irqbalance setup", errno.EPROTO, f"{setup[:60]!r} is no answer that we know")
    return frozenset(int(number) for number in re.findall(r"\bIRQ (\d+) ", setup))


def _ask(request: str) -> Tuple[str, bool]:
    """The answer, and whether all of the request was read."""
    with _connected() as connection:
        credentials = struct.pack("3i", os.getpid(), os.geteuid(), os.getegid())
        whole, parts = True, []
        try:
            connection.sendmsg([request.encode("ascii")], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, credentials)])
            while True:
                part = connection.recv(1 << 16)
                if not part:
                    break
                parts.append(part)
        except ConnectionResetError:
            whole = False
        except OSError as error:
            raise _mute(request, error) from None
        return b"".join(parts).decode("ascii", "replace"), whole


def _connected() -> socket.socket:
    for address in _addresses():
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(address)
            if _of_root(connection):
                return connection
        except (ConnectionRefusedError, FileNotFoundError):
            pass  # the socket of one that was killed
        except OSError as error:
            connection.close()
            raise _mute("connect", error) from None
        connection.close()
    raise NotSupported(NOT_RUNNING)


def _mute(request: str, error: OSError) -> KernelRefusal:
    return refusal(f"irqbalance {request[:40].strip()}", error.errno or errno.ETIMEDOUT)


def _of_root(connection: socket.socket) -> bool:
    """Whoever may open a socket may choose an abstract name: only root's answers are believed."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", credentials)[1] == 0)


def _addresses() -> List[str]:
    """A file since 1.5.0; where that cannot be made a name of NUL bytes (shown as ``@``), before a name of its own."""
    files = sorted(str(path) for path in _RUN.glob("irqbalance*.sock"))
    if files:
        return files
    try:
        names = set(_ABSTRACT.findall(_SOCKETS.read_text(encoding="ascii", errors="replace")))
    except OSError:
        names = set()
    return [name.replace("@", "\0") for name in sorted(names)]
