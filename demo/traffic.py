# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered frames from a denied and from an allowed source into every NIC, counted as they are sent."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence

from tests.lab import frames
from tests.lab.wire import Wire

from .fleet import Fleet, Member
from .say import DemoFailed

DENIED_PREFIX = "203.0.113.0/24"
DENIED, ALLOWED = "203.0.113.9", "198.51.100.20"
FLOWS = 32  # source ports, so that RSS has something to spread
DENIED_OF_TEN = 3
PATIENCE = 20.0  # seconds for the frame under way: a NIC that is down never takes it


@dataclass
class Sent:
    """Frames sent into one NIC so far."""

    denied: int = 0
    allowed: int = 0

    @property
    def all(self) -> int:
        return self.denied + self.allowed


class Sender(threading.Thread):
    """One node's traffic, until ``stop`` or, with ``count``, until so many frames are sent."""

    def __init__(self, member: Member, count: Optional[int] = None) -> None:
        super().__init__(name=f"traffic to {member.name}", daemon=True)
        self.sent = Sent()
        self._member = member
        self._count = count
        self._over = threading.Event()
        self._error: Optional[Exception] = None

    def run(self) -> None:
        try:
            with self._member.node.wire() as wire:
                self._send(wire)
        except Exception as error:  # told by `finish`, in the thread that can end the demo
            self._error = error

    def _send(self, wire: Wire) -> None:
        wire.send(self._frames(), rate=self._member.rate)

    def _frames(self) -> Iterator[bytes]:
        denied, allowed = ([self._frame(source, flow) for flow in range(FLOWS)] for source in (DENIED, ALLOWED))
        while not self._over.is_set() and self.sent.all != self._count:
            number = self.sent.all
            if number % 10 < DENIED_OF_TEN:
                self.sent.denied += 1
                yield denied[number % FLOWS]
            else:
                self.sent.allowed += 1
                yield allowed[number % FLOWS]

    def _frame(self, source: str, flow: int) -> bytes:
        return frames.udp(self._member.mac, flow, source=source, source_port=1000 + flow)

    def stop(self) -> None:
        self._over.set()

    def finish(self) -> Sent:
        self.join(PATIENCE + (self._count or 0) / self._member.rate)
        if self.is_alive():
            raise DemoFailed(f"{self._member.name} takes no frames: {self.sent.all} were sent, the next one is stuck.")
        if self._error:
            raise DemoFailed(f"Sending frames to {self._member.name} failed: {self._error}")
        return self.sent


def burst(members: Sequence[Member], seconds: float) -> Dict[str, Sent]:
    """Traffic of so many seconds into every node; how many frames of which sort were sent."""
    senders = {member.name: Sender(member, int(member.rate * seconds)) for member in members}
    for sender in senders.values():
        sender.start()
    return {name: sender.finish() for name, sender in senders.items()}


@contextlib.contextmanager
def flowing(fleet: Fleet) -> Iterator[Dict[str, Sent]]:
    """Traffic into every node while the body runs. The counts are final when the body is left."""
    senders: List[Sender] = [Sender(member) for member in fleet.members]
    sent = {member.name: sender.sent for member, sender in zip(fleet.members, senders)}
    for sender in senders:
        sender.start()
    try:
        yield sent
    finally:
        for sender in senders:
            sender.stop()
        for sender in senders:
            sender.join(PATIENCE)
    for sender in senders:
        sender.finish()
