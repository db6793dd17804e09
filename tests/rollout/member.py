# SPDX-License-Identifier: GPL-3.0-or-later
"""One node of the fleet: where it is in a rollout, what comes past its filter, and what may happen to it.

Looked at with everybody's tools and the engine's own files; nothing here asks the engine.
"""

from __future__ import annotations

import abc
import contextlib
import json
import shlex
import threading
from typing import Any, Callable, ContextManager, Dict, Iterator

from tests.lab import frames
from tests.lab.wire import Wire

from .guard import ALLOWED, DENIED, Wanted

STATE = "/var/lib/wirespeed"


class Member(abc.ABC):
    """``sent`` denied frames have gone into its NIC."""

    name: str
    nic: str
    rate: float
    """Frames a second that it gets, half of them denied."""

    def __init__(self) -> None:
        self.sent = 0
        self._over = threading.Event()

    @property
    @abc.abstractmethod
    def connection(self) -> Dict[str, Any]:
        """What an inventory has to say of it."""

    @abc.abstractmethod
    def wire(self) -> ContextManager[Wire]:
        """The far end of its NIC."""

    @abc.abstractmethod
    def inside(self, *command: str) -> str:
        """What a command says on the node. It must work when Ansible's way to it is cut off, and the command too."""

    @abc.abstractmethod
    def counting(self) -> ContextManager[Callable[[], int]]:
        """How many denied frames have come past XDP, while it is open."""

    @abc.abstractmethod
    def apply(self, wanted: Wanted) -> None:
        """By the engine on the node itself, which is quicker than a playbook."""

    @abc.abstractmethod
    def cut_off(self) -> None:
        """Ansible's connections to it end, and no new one begins. The node itself goes on."""

    @abc.abstractmethod
    def back(self) -> None:
        """It can be reached again."""

    def variables(self, wanted: Wanted) -> Dict[str, Any]:
        return wanted.variables(self.nic)

    def intent(self, wanted: Wanted) -> Dict[str, Any]:
        """The same in the engine's words, with the manifest beside it."""
        intent = {key[len("wirespeed_") :]: value for key, value in self.variables(wanted).items()}
        return {**intent, "pipelines": [{**each, "manifest": wanted.manifest.name} for each in intent["pipelines"]]}

    # --- its traffic ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def traffic(self) -> Iterator[None]:
        """Denied and allowed frames, all the time."""
        self._over.clear()
        with self.wire() as wire:
            sender = threading.Thread(target=lambda: wire.send(self._mixed(wire.mac), self.rate), daemon=True)
            sender.start()
            try:
                yield
            finally:
                self._over.set()
                sender.join()

    def _mixed(self, mac: str) -> Iterator[bytes]:
        while not self._over.is_set():
            self.sent += 1
            yield frames.udp(mac, self.sent, source=DENIED)
            yield frames.udp(mac, self.sent, source=ALLOWED)

    # --- where it is ---------------------------------------------------------------------------------------------

    def read(self, path: str) -> str:
        """Text of a file on it; empty where there is none."""
        return self.inside("sh", "-c", f"cat {shlex.quote(path)} 2>/dev/null || true")

    def edition(self) -> int:
        """Of the program that judged the last packet: there must be traffic."""
        published = json.loads(self.read("/run/wirespeed/published/guard.json"))[-1]["generation"]
        pin = f"/sys/fs/bpf/wirespeed/guard/{published}/maps/latest"
        shown = self.inside("bpftool", "-j", "map", "dump", "pinned", pin)
        return int(json.loads(shown)[0]["formatted"]["value"])

    def tuning(self) -> int:
        """The version of its tuning."""
        return int(json.loads(self.read(f"{STATE}/tuning.json"))["changes"][-1]["version"])

    def gro(self) -> bool:
        return "generic-receive-offload: on" in self.inside("ethtool", "-k", self.nic)

    def underway(self) -> bool:
        """Whether a run has begun steps on it, and has neither kept nor undone them yet."""
        return bool(self.inside("sh", "-c", f"ls {STATE}/journal 2>/dev/null || true"))

    def idle(self) -> bool:
        """Whether no module runs on it (with pipelining that is an interpreter without arguments) and none has left a
        journal."""
        return not self.inside("sh", "-c", "pgrep -xf /usr/bin/python3 || [ $? = 1 ]") and not self.underway()

    def published_in_run(self) -> bool:
        """Whether the run under way has come past its publish."""
        return '"action":"publish"' in self.read(f"{STATE}/journal")

    # --- what may happen to it -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def faulty(self) -> Iterator[None]:
        """A setting reads well and cannot be written, which no plan can know."""
        self.inside("mount", "-o", "remount,bind,ro", "/sys")
        try:
            yield
        finally:
            self.inside("mount", "-o", "remount,bind,rw", "/sys")
