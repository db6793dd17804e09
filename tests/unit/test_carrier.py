# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a bond's member, and what becomes of a run in which its link stays down."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Set

import pytest

from wirespeed import carrier
from wirespeed.apply.executor import ApplyFailed, Transaction
from wirespeed.apply.journal import start
from wirespeed.carrier import CarrierActuator
from wirespeed.errors import KernelRefusal, WirespeedError
from wirespeed.kernel import bonding, rtnetlink
from wirespeed.model.step import Action, Disruption, Step

WAIT = Step("eth1", Action.AWAIT, "carrier", {}, {"master": "bond0", "next": "eth2", "seconds": 0}, "a reason", "plan")


class Links:
    """Stands for the kernel: who serves, and who was asked for."""

    def __init__(self, serving: Set[str]) -> None:
        self.serving, self.asked = serving, []  # type: Set[str], List[str]

    def serves(self, name: str) -> bool:
        self.asked.append(name)
        return name in self.serving


class Rings:
    """An actuator that only remembers."""

    def __init__(self) -> None:
        self.done: List[str] = []

    def apply(self, step: Step) -> None:
        self.done.append(f"{step.target} {step.after['rx']}")

    def deviation(self, step: Step) -> str:
        return ""


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> Links:
    made = Links(set())
    monkeypatch.setattr(carrier, "_serves", made.serves)
    return made


def test_member_that_serves_is_enough(links: Links) -> None:
    links.serving.add("eth1")
    CarrierActuator().apply(WAIT)
    assert links.asked == ["eth1"]


def test_member_that_stays_away_is_named_with_its_bond_and_who_was_spared(links: Links) -> None:
    with pytest.raises(
        WirespeedError, match=r"bond0 cannot send through eth1 again 0 s .* eth2 was not touched"
    ) as said:
        CarrierActuator().apply(WAIT)
    assert "cable" in said.value.remedy


def test_undo_waits_for_the_member_that_came_after_and_never_fails(links: Links) -> None:
    CarrierActuator().apply(WAIT.inverted())
    assert set(links.asked) == {"eth2"}


def test_interface_that_has_gone_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise KernelRefusal(f"rtnetlink GETLINK {name}", 19, "")

    monkeypatch.setattr(rtnetlink, "link_named", gone)
    assert carrier.wait_for_service(()) == [] and not carrier._serves("eth1")


def test_run_is_undone_as_a_whole_and_the_next_member_is_never_touched(links: Links, tmp_path: Path) -> None:
    rings = Rings()
    actuators: Dict[Action, Any] = {Action.SET: rings, Action.AWAIT: CarrierActuator()}
    one, two = (
        Step(name, Action.SET, "rings", {"rx": 256}, {"rx": 512}, "a reason", "intent", Disruption.BOUNCE)
        for name in ("eth1", "eth2")
    )
    transaction = Transaction(actuators, start(tmp_path / "journal", "boot"))
    with pytest.raises(ApplyFailed, match=r"await master none -> bond0.*the node is as before") as failed:
        transaction.run([one, WAIT, two])
    assert rings.done == ["eth1 512", "eth1 256"]
    assert failed.value.clean and not (tmp_path / "journal").exists()


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({2: b"\0"}, True),
        ({2: b"\2"}, False),
        ({2: b"\0", 7: b"\x3d"}, True),
        ({2: b"\0", 7: b"\x0d"}, False),
        ({}, True),
    ],
    ids=["up", "down", "distributing", "negotiating", "nothing told"],
)
def test_bond_agrees_when_its_monitor_does_and_lacp_distributes(attributes: Dict[int, bytes], expected: bool) -> None:
    assert bonding.in_use(packed(attributes)) is expected


def test_min_links_count_under_lacp_only() -> None:
    told = {4: (200).to_bytes(4, "little"), 18: (2).to_bytes(4, "little")}
    assert bonding.bond(packed({1: b"\4", **told})) == bonding.BondFacts(2, 0.2)
    assert bonding.bond(packed({1: b"\1", **told})) == bonding.BondFacts(0, 0.2)


def packed(attributes: Dict[int, bytes]) -> bytes:
    return b"".join(
        (4 + len(value)).to_bytes(2, "little") + number.to_bytes(2, "little") + value + bytes(-len(value) % 4)
        for number, value in attributes.items()
    )
