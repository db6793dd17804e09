# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to irqbalance, held against a stand-in that reads and answers as 1.9.2 and 1.9.5 do."""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List, Set

import pytest

from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import irqbalance
from wirespeed.kernel.interrupts import Vector
from wirespeed.kernel.port import Port
from wirespeed.model.settings import NOT_RUNNING, Setting
from wirespeed.model.step import Action, Step
from wirespeed.nic import irqbalance as room
from wirespeed.nic.actuator import SettingActuator

PORT = Port("eth1", 7)
OWN = range(30, 34)


class Daemon:
    """irqbalance.c sock_handle: reads ``buffer`` bytes of one request, believes root, answers, closes."""

    def __init__(self, address: str, buffer: int, bans: Set[int]) -> None:
        self.bans, self.buffer, self.requests = bans, buffer, list[str]()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            with connection:
                data, extra, dummy, dummy = connection.recvmsg(self.buffer, socket.CMSG_SPACE(12))
                self._handle(connection, data.decode(), extra)

    def _handle(self, connection: socket.socket, request: str, extra: List[Any]) -> None:
        (level, kind, credentials), *dummy = extra
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        assert struct.unpack("3i", credentials)[1] == 0
        self.requests.append(request)
        if request.startswith("settings ban irqs "):
            words = request[len("settings ban irqs ") :]
            self.bans = set() if words.startswith("NONE") else {int(word) for word in re.findall(r"\d+", words)}
        if request.startswith("setup"):
            bans = "".join(f"IRQ {irq} LOAD 0 DIFF 0 CLASS 5 " for irq in sorted(self.bans))
            connection.sendall(f"SLEEP 10 {bans}BANNED 00000000".encode())

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


Start = Callable[..., Daemon]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="irqbalance answers to root alone: this is no root")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """A factory of daemons; without one nothing listens."""
    monkeypatch.setattr(irqbalance, "_RUN", tmp_path)
    monkeypatch.setattr(irqbalance, "_SOCKETS", tmp_path / "none")
    monkeypatch.setattr(irqbalance, "PATIENCE", 5.0)
    monkeypatch.setattr(room.interrupts, "queues", lambda _port: [[Vector(irq, f"eth1-{irq}")] for irq in OWN])
    alive: List[Daemon] = []

    def make(*bans: int, buffer: int = 500, address: str = "") -> Daemon:
        alive.append(Daemon(address or str(tmp_path / "irqbalance77.sock"), buffer, set(bans)))
        return alive[-1]

    yield make
    for daemon in alive:
        daemon.stop()


@pytest.mark.usefixtures("start")
def test_nothing_is_asked_of_irqbalance_where_none_runs() -> None:
    with pytest.raises(NotSupported) as lacking:
        room.read(PORT)
    assert lacking.value.call == NOT_RUNNING


def test_socket_that_a_killed_irqbalance_left_is_none_that_runs(start: Start, tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "irqbalance12.sock"))
    left.close()
    with pytest.raises(NotSupported):
        room.read(PORT)


@needs_root
@pytest.mark.parametrize(("bans", "off"), [((), False), ((30, 31, 32), False), ((7, 30, 31, 32, 33), True)])
def test_keeps_off_when_every_interrupt_of_a_queue_is_banned(start: Start, bans: Any, off: bool) -> None:
    start(*bans)
    assert room.read(PORT).values == {"keeps-off": off}


@needs_root
@pytest.mark.parametrize("address", ["\0irqbalance4194999.sock", "\0" * 108], ids=["before 1.5.0", "no file"])
def test_irqbalance_is_found_by_its_abstract_name_too(
    start: Start, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(irqbalance, "_SOCKETS", Path("/proc/net/unix"))
    start(7, address=address)
    assert irqbalance.banned() == {7}


@needs_root
def test_bans_of_others_are_kept_and_stay_when_ours_are_taken_back(start: Start) -> None:
    daemon = start(7, 120)
    room.write(PORT, {"keeps-off": True})
    assert room.read(PORT).values == {"keeps-off": True} and daemon.bans == {7, 120, *OWN}
    room.write(PORT, {"keeps-off": False})
    assert room.read(PORT).values == {"keeps-off": False} and daemon.bans == {7, 120}


@needs_root
def test_last_ban_is_taken_back_by_the_word_for_none(start: Start) -> None:
    daemon = start(*OWN)
    room.write(PORT, {"keeps-off": False})
    assert irqbalance.banned() == frozenset()
    assert "settings ban irqs NONE" in daemon.requests


@needs_root
def test_what_holds_is_not_said_again_because_every_ban_makes_it_place_all_interrupts_anew(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = start(*OWN)
    monkeypatch.setattr("wirespeed.kernel.rtnetlink.link_named", lambda _name: SimpleNamespace(port=PORT))
    step = Step("eth1", Action.SET, Setting.IRQBALANCE.value, {}, {"keeps-off": True}, "a test", "here")
    SettingActuator().apply(step)
    assert SettingActuator().deviation(step) == ""
    assert not any(request.startswith("settings") for request in daemon.requests)


@needs_root
def test_list_that_an_old_version_would_cut_is_never_sent(start: Start) -> None:
    """A number that is cut in two is another interrupt's."""
    daemon = start(*range(1000, 1100))
    with pytest.raises(NotSupported, match="cannot hold 104 interrupts"):
        room.read(PORT)
    with pytest.raises(KernelRefusal) as refused:
        irqbalance.ban(range(1000, 1104))
    assert refused.value.code == errno.E2BIG and daemon.bans == set(range(1000, 1100))


@needs_root
def test_newer_version_takes_the_long_list(start: Start) -> None:
    daemon = start(*range(1000, 1100), buffer=16384)
    room.write(PORT, {"keeps-off": True})
    assert room.read(PORT).values == {"keeps-off": True} and len(daemon.bans) == 104


@needs_root
def test_answer_of_something_else_is_not_taken_for_an_empty_list(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    monkeypatch.setattr(irqbalance, "_ask", lambda _request: ("HTTP/1.0 400", True))
    with pytest.raises(KernelRefusal, match="no answer that we know"):
        irqbalance.banned()
