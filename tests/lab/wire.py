# SPDX-License-Identifier: GPL-3.0-or-later
"""The far end of a NIC under test: frames in, exactly as many as told, and the frames that come out."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from typing import Iterable, Iterator, List, Optional

from . import frames, netns
from .errors import LabError
from .qemu import Nic

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23  # linux/if_packet.h
_BUFFER = 8 << 20
_LONGEST = 1 << 17
RATE = 2000.0  # frames per second that every emulated NIC takes without loss on a loaded two-core host


class Captured:
    """Frames that the NIC has transmitted since the capture began; grows while the capture is open."""

    def __init__(self) -> None:
        self._grown = threading.Condition()
        self._frames: List[bytes] = []

    def add(self, frame: bytes) -> None:
        with self._grown:
            self._frames.append(frame)
            self._grown.notify_all()

    @property
    def frames(self) -> List[bytes]:
        with self._grown:
            return list(self._frames)

    @property
    def numbers(self) -> List[int]:
        """Numbers of the frames that `frames.udp` made, in the order of their arrival."""
        found = (frames.number_of(frame) for frame in self.frames)
        return [number for number in found if number is not None]

    def wait(self, count: int, timeout: float = 10.0) -> List[int]:
        """The numbers, as soon as there are `count`; LabError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while len(self.numbers) < count:
            with self._grown:
                if not self._grown.wait(max(0.0, min(0.2, end - time.monotonic()))) and time.monotonic() >= end:
                    raise LabError(f"{len(self.numbers)} of {count} frames came out of the NIC in {timeout:.0f} s")
        return self.numbers


class Wire:
    """`send` and `capture` on one NIC. With a tap a packet socket in its namespace, else unix datagrams."""

    def __init__(self, nic: Nic) -> None:
        self.nic = nic
        self.mac = nic.mac
        self._socket = self._tap() if nic.tap else self._datagrams()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)

    def _tap(self) -> socket.socket:
        def open_socket() -> socket.socket:
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, struct.pack("i", 1))
            opened.bind((self.nic.tap, _ETH_P_ALL))
            return opened

        return netns.inside(self.nic.namespace, open_socket)

    def _datagrams(self) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.nic.host)
        opened.bind(self.nic.host)
        opened.connect(self.nic.guest)
        return opened

    def close(self) -> None:
        self._socket.close()

    def send(self, what: Iterable[bytes], rate: float = RATE) -> int:
        """Send the frames at `rate` per second; the number sent, all of which the NIC's far end took.

        A full queue blocks the sender (unix datagrams) and is otherwise an error, so none is lost on this side; a
        frame that the emulated NIC itself drops is in its own counters, as on hardware. Raises LabError when the tap
        dropped any.
        """
        dropped = self._tap_drops()
        sent = 0
        start = time.monotonic()
        for frame in what:
            early = start + sent / rate - time.monotonic()
            if early > 0:
                time.sleep(early)
            self._socket.send(frame)
            sent += 1
        lost = self._tap_drops() - dropped
        if lost:
            raise LabError(
                f"{self.nic.tap} dropped {lost} of {sent} frames: the guest does not take {rate:.0f} a second"
            )
        return sent

    def _tap_drops(self) -> int:
        return netns.statistic(self.nic.namespace, self.nic.tap, "tx_dropped") if self.nic.tap else 0

    def stream(self, count: int, *, first: int = 0, rate: float = RATE, flows: int = 32, **addresses: object) -> int:
        """Send `count` numbered UDP frames over `flows` source ports; `addresses` as `frames.udp` takes them."""
        numbers = range(first, first + count)
        made = (
            frames.udp(self.mac, number, source_port=1000 + number % flows, **addresses)  # type: ignore[arg-type]
            for number in numbers
        )
        return self.send(made, rate)

    def receive(self, timeout: float = 1.0) -> Optional[bytes]:
        """The next frame that the NIC transmits; None when none comes within `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(_LONGEST)
        except TimeoutError:
            return None
        finally:
            self._socket.settimeout(None)

    @contextlib.contextmanager
    def capture(self) -> Iterator[Captured]:
        """Take every frame that comes out, while the body runs (and may send)."""
        captured, over = Captured(), threading.Event()
        reader = self._socket.dup()

        def read() -> None:
            while not over.is_set():
                if select.select([reader], [], [], 0.1)[0]:
                    captured.add(reader.recv(_LONGEST))

        thread = threading.Thread(target=read, name=f"capture {self.nic.interface}", daemon=True)
        thread.start()
        try:
            yield captured
        finally:
            over.set()
            thread.join()
            reader.close()
