# SPDX-License-Identifier: GPL-3.0-or-later
"""All members, the control node that rolls out to them, and what it has written down.

Members are numbered from 1, the canary, in the order of the inventory; ``batches`` are the sizes of the rollout's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Generic, Iterator, List, Mapping, Sequence, Tuple, TypeVar

from tests.ansible.conftest import BIN, Answer, Control

from .guard import Wanted
from .member import Member

SHARE = {"spoilt": {"max_share": 0.05}}
BEFORE, AFTER = (1, True), (2, False)
Ended = Tuple[int, bool]
M = TypeVar("M", bound=Member)


@dataclass
class Fleet(Generic[M]):
    """``soak``: seconds in which a member judges enough frames to be measured by; ``patience``: for its slowest act."""

    control: Control
    members: Sequence[M]
    manifest: Path
    batches: Sequence[int]
    soak: float
    patience: float

    def __getitem__(self, number: int) -> M:
        return self.members[number - 1]

    # --- what it should run --------------------------------------------------------------------------------------

    @property
    def before(self) -> Wanted:
        return Wanted(self.manifest, 1, gro=True)

    @property
    def after(self) -> Wanted:
        return Wanted(self.manifest, 2, gro=False)

    def documented(self, *denied: str) -> Wanted:
        """The code as before, and a document that denies these addresses."""
        document = self.control.work / "guard.document.yml"
        document.write_text(json.dumps({"pipeline": "guard", "tables": {"denied": list(denied)}}))
        return replace(self.before, denied=(), document=str(document))

    @property
    def briefly(self) -> Dict[str, Any]:
        """Extra variables of a rollout whose soak is just long enough to be judged by."""
        soak = {"seconds": self.soak, "min_packets": 20, "verdicts": SHARE}
        return {"wirespeed_rollout_serial": list(self.batches), "wirespeed_rollout_soak": soak}

    @property
    def at_leisure(self) -> Dict[str, Any]:
        """The same with a soak long enough to act in."""
        return {**self.briefly, "wirespeed_rollout_soak": {"seconds": 5 * self.soak}}

    # --- what is done with it ------------------------------------------------------------------------------------

    def apply(self, wanted: Wanted) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda member: member.apply(wanted), self.members))

    def play(
        self,
        playbook: str,
        wanted: Wanted,
        *arguments: str,
        extra: Mapping[str, Any] = {},
        hosts: Mapping[str, Mapping[str, Any]] = {},
    ) -> Answer:
        """``hosts``: variables of single hosts, before those of ``wanted``."""
        command = self._command(playbook, wanted, extra, hosts)
        return self.control.run("ansible-playbook", *command, *arguments, **self._settings)

    def rollout(self, *arguments: str, hosts: Mapping[str, Mapping[str, Any]] = {}) -> Answer:
        return self.play("rollout", self.after, *arguments, extra=self.briefly, hosts=hosts)

    @contextlib.contextmanager
    def rolling_out(
        self, extra: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]] = {}
    ) -> Iterator["subprocess.Popen[str]"]:
        """The same beside the body. What is left of it when the body is left is killed."""
        command = [str(BIN / "ansible-playbook"), *self._command("rollout", self.after, extra, hosts)]
        settings = self.control.environment(**self._settings)
        with open(self.control.work / "output", "w+", encoding="utf-8") as output:
            started = subprocess.Popen(
                command, cwd=self.control.work, env=settings, stdout=output, stderr=output, text=True,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                yield started
            finally:
                kill(started)

    def _command(
        self, playbook: str, wanted: Wanted, extra: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]]
    ) -> List[str]:
        told = {
            member.name: {**member.connection, **member.variables(wanted), **hosts.get(member.name, {})}
            for member in self.members
        }
        inventory = self.control.work / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": told}}))
        return ["-i", str(inventory), f"wirespeed.xdp.{playbook}", "-e", json.dumps(extra)]

    @property
    def _settings(self) -> Dict[str, str]:
        return {
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_FORKS": str(len(self.members) + 1),
        }

    @contextlib.contextmanager
    def filtering(self, but: Sequence[M] = ()) -> Iterator[None]:
        """Every member gets denied frames for as long as the body runs; none may get through."""
        members = [member for member in self.members if member not in but]
        with contextlib.ExitStack() as stack:
            escaped = [stack.enter_context(member.counting()) for member in members]
            for member in members:
                stack.enter_context(member.traffic())
            sent = [member.sent for member in members]
            yield
            through = {member.name: count() for member, count in zip(members, escaped)}
            took = [member.sent - before for member, before in zip(members, sent)]
        assert not any(through.values()), f"denied frames got through: {through}"
        assert min(took) > 100, f"the senders hardly sent: {took}"

    # --- where it is ---------------------------------------------------------------------------------------------

    def ended(self) -> List[Ended]:
        """Edition of the code and GRO, by member: BEFORE, AFTER, or a mixture that must not be."""
        return [(member.edition(), member.gro()) for member in self.members]

    def expected(self, begun: int, odd: Mapping[int, str] = {}) -> List[str]:
        """States of the members when ``begun`` batches were begun; ``odd``: of single members by their number."""
        reached = sum(self.batches[:begun])
        numbers = range(1, len(self.members) + 1)
        return [odd.get(each, "changed" if each <= reached else "not_reached") for each in numbers]

    @property
    def results(self) -> Path:
        return self.control.work / "wirespeed-rollout"

    def forget(self) -> None:
        """No result of an earlier rollout."""
        for file in self.results.rglob("*.json"):
            file.unlink()

    def record(self, number: int) -> Dict[str, Any]:
        file = self.results / "hosts" / f"{self[number].name}.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def summary(self) -> Dict[str, Any]:
        return dict(json.loads((self.results / "rollout.json").read_text()))

    def states(self) -> List[str]:
        """As the summary of the last rollout has them."""
        told = self.summary()["hosts"]
        return [told[member.name]["state"] for member in self.members]

    def output(self) -> str:
        """What the rollout beside the body has said so far."""
        return (self.control.work / "output").read_text()

    def until(self, holds: Callable[[], bool], problem: Callable[[], str]) -> None:
        end = time.monotonic() + self.patience
        while not holds():
            assert time.monotonic() < end, problem()
            time.sleep(0.02)


def places(states: Sequence[str]) -> List[Ended]:
    """Where members of these states must be: the new one only where it is told so."""
    return [AFTER if state == "changed" else BEFORE for state in states]


def kill(control: "subprocess.Popen[str]") -> None:
    """As if the control node went down: ansible-playbook with all that it has started, workers and ssh too."""
    if control.poll() is None:
        os.kill(control.pid, signal.SIGSTOP)  # it starts nothing more
        for pid in [*_descendants(control.pid), control.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    control.wait()


def _descendants(pid: int) -> List[int]:
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for child in children for each in (*_descendants(child), child)]
