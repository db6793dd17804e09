# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP connections that are in use all the time: on each, a number goes out and must come back before the next."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import contextmanager
from typing import Dict, Iterator, List, Sequence

_NUMBER = struct.Struct("!Q")
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a closed socket leaves nothing that would keep its namespace alive


class Connections:
    """``echoes``: how many numbers have come back, by connection. ``broken``: connections that ended, and how."""

    def __init__(self, listener: socket.socket, clients: Sequence[socket.socket]) -> None:
        self.echoes: List[int] = [0] * len(clients)
        self.broken: Dict[int, str] = {}
        self._clients = clients
        self._servers = [listener.accept()[0] for dummy in clients]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, name="connections", daemon=True)

    @property
    def names(self) -> List[bytes]:
        """Each client's end and the server's, in the order of ``struct flow``."""
        return [_address(client.getsockname(), client.getpeername()) for client in self._clients]

    def _talk(self) -> None:
        with selectors.DefaultSelector() as ready:
            for server in self._servers:
                ready.register(server, selectors.EVENT_READ, None)
            for number, client in enumerate(self._clients):
                ready.register(client, selectors.EVENT_READ, number)
                client.sendall(_NUMBER.pack(0))
            while not self._over.is_set():
                for key, dummy in ready.select(0.1):
                    self._turn(ready, key)

    def _turn(self, ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        try:
            end: socket.socket = key.fileobj  # type: ignore[assignment]
            self._echo(end) if key.data is None else self._next(end, key.data)
        except OSError as error:
            ready.unregister(key.fileobj)
            self.broken[-1 if key.data is None else key.data] = str(error)

    def _echo(self, server: socket.socket) -> None:
        server.sendall(_read(server))

    def _next(self, client: socket.socket, connection: int) -> None:
        (came,) = _NUMBER.unpack(_read(client))
        if came != self.echoes[connection]:
            raise OSError(f"{came} came back instead of {self.echoes[connection]}")
        self.echoes[connection] += 1
        client.sendall(_NUMBER.pack(self.echoes[connection]))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
            for end in (*self._clients, *self._servers):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                end.close()


def _read(end: socket.socket) -> bytes:
    """A number; so few bytes go out in one segment, and in one read come in."""
    found = end.recv(_NUMBER.size)
    if len(found) < _NUMBER.size:
        raise OSError("the other end has closed the connection")
    return found


def _address(here: "tuple[str, int]", there: "tuple[str, int]") -> bytes:
    ports = struct.pack("!HH", here[1], there[1])
    return socket.inet_aton(here[0]) + socket.inet_aton(there[0]) + ports
