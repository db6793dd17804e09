# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of classification rules: what is read, what a wish becomes, and how the kernel's list gets there."""

from __future__ import annotations

import errno
from typing import Any, Tuple

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange
from wirespeed.kernel import ethtool_rss, ethtool_rxclass
from wirespeed.kernel.ethtool_rss import Context
from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.nic import ntuple

from .rxclass_kernel import RuleKernel

PORT = Port("eth1", 7)
DNS, WEB, PTP = "udp4 dst-port 53 action 2", "tcp4 dst-port 443 action 3", "ether proto 0x88f7 action 1"


def kernel(monkeypatch: pytest.MonkeyPatch, *rules: str, **parts: Any) -> RuleKernel:
    made = RuleKernel(**parts)
    monkeypatch.setattr(ethtool_rxclass, "call", made)
    if rules:
        ntuple.write(PORT, {"rules": rules})
    made.calls.clear()
    return made


def held() -> Tuple[str, ...]:
    return tuple(ntuple.read(PORT).values["rules"])  # type: ignore[arg-type]


def facts(*rules: str, queues: int = 4, locations: int = 16, chooses: bool = False) -> SettingFacts:
    derived = {"locations": locations, "driver-chooses": chooses}
    return SettingFacts({"rules": rules}, {"rules": queues - 1}, derived=derived)


def settled(*rules: str, planned: Any = None, **parts: Any) -> Tuple[str, ...]:
    return tuple(ntuple.settle(facts(**parts), {"rules": rules}, planned or {})["rules"])  # type: ignore[arg-type]


def test_a_driver_without_rules_costs_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kernel(monkeypatch, supported=False)
    with pytest.raises(NotSupported):
        ntuple.read(PORT)
    assert made.calls == ["count"]


def test_no_rules_are_an_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch)
    read = ntuple.read(PORT)
    assert (read.values, read.maxima) == ({"rules": ()}, {"rules": 3})
    assert read.derived == {"locations": 16, "driver-chooses": False}


def test_rules_are_read_by_location(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, f"{WEB} loc 9", f"{DNS} loc 2")
    assert held() == (f"{DNS} loc 2", f"{WEB} loc 9")


def test_where_the_driver_chooses_rules_have_no_location(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, DNS, WEB, special=True)
    assert held() == tuple(sorted((DNS, WEB)))
    assert settled(DNS, WEB, chooses=True) == held()


def test_a_rule_that_goes_while_we_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kernel(monkeypatch, f"{DNS} loc 0", f"{WEB} loc 1")
    answer = made._one

    def gone(fields: Any, command: str) -> None:
        if fields[-2] == 0:
            raise KernelRefusal(command, errno.ENOENT)
        answer(fields, command)

    monkeypatch.setattr(made, "_one", gone)
    assert held() == (f"{WEB} loc 1",)


def test_rules_get_the_free_locations_in_their_order() -> None:
    assert settled(DNS, f"{PTP} loc 1", WEB) == (f"{DNS} loc 0", f"{PTP} loc 1", f"{WEB} loc 2")


def test_what_is_read_settles_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch)
    wanted = settled(DNS, WEB, PTP)
    ntuple.write(PORT, {"rules": wanted})
    assert held() == wanted == settled(DNS, WEB, PTP) == settled(*held())


@pytest.mark.parametrize(
    ("rules", "parts", "said"),
    [
        (("udp4 dst-port 53 action 4",), {}, "action 0 to 3"),
        (("udp4 dst-port 53 action 2",), {"planned": {Setting.CHANNELS: {"combined": 2}}}, "action 0 to 1"),
        (("udp4 dst-port 53 context 1",), {}, "one of the 0 contexts"),
        ((f"{DNS} loc 16",), {}, "loc 0 to 15"),
        ((f"{DNS} loc 3",), {"chooses": True}, "no loc"),
        ((DNS, DNS), {}, "each rule once"),
        ((f"{DNS} loc 3", f"{WEB} loc 3"), {}, "each location once"),
        ((DNS, WEB, PTP), {"locations": 2}, "at most 2"),
        (("udp4 dst 53",), {}, "words of `ethtool -N`"),
    ],
)
def test_what_the_nic_cannot_hold_is_refused_before_any_call(rules: Any, parts: Any, said: str) -> None:
    with pytest.raises(OutOfRange) as caught:
        settled(*rules, **parts)
    assert said in caught.value.allowed


def test_queues_and_contexts_count_as_they_will_be() -> None:
    planned = {Setting.CHANNELS: {"combined": 8}, Setting.RSS_CONTEXTS: {"contexts": ("queues 2-3",)}}
    assert settled("udp4 action 7", "tcp4 context 1", planned=planned) == (
        "udp4 action 7 loc 0",
        "tcp4 context 1 loc 1",
    )


def test_a_drop_a_wake_and_a_function_s_queue_are_no_queue_of_ours() -> None:
    assert len(settled("udp4 action -1", "tcp4 action -2", "sctp4 vf 0 queue 9")) == 3


def test_only_what_differs_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kernel(monkeypatch, f"{DNS} loc 0", f"{WEB} loc 1")
    ntuple.write(PORT, {"rules": (f"{DNS} loc 0", f"{PTP} loc 1")})
    assert [call for call in made.calls if call in ("delete", "insert")] == ["delete", "insert"]
    assert held() == (f"{DNS} loc 0", f"{PTP} loc 1")


def test_a_full_table_takes_another_rule_in_the_place_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, f"{DNS} loc 0", f"{WEB} loc 1", size=2)
    ntuple.write(PORT, {"rules": (f"{PTP} loc 0", f"{WEB} loc 1")})
    assert held() == (f"{PTP} loc 0", f"{WEB} loc 1")


def test_an_empty_list_removes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, f"{DNS} loc 0", f"{WEB} loc 1")
    ntuple.write(PORT, {"rules": ()})
    assert held() == ()


@pytest.mark.parametrize("special", [False, True])
def test_a_refusal_half_way_leaves_the_rules_as_they_were(monkeypatch: pytest.MonkeyPatch, special: bool) -> None:
    places = ("", "", "") if special else (" loc 0", " loc 1", " loc 2")
    made = kernel(monkeypatch, DNS + places[0], WEB + places[1], special=special)
    before = held()
    made.refuses = lambda fields: errno.EOPNOTSUPP if fields[0] == 0x12 else None  # ETHER_FLOW
    with pytest.raises(KernelRefusal) as caught:
        ntuple.write(PORT, {"rules": ("sctp4 action 1" + places[0], PTP + places[2], WEB + places[1])})
    assert held() == before
    assert PTP in str(caught.value) and "EOPNOTSUPP" in str(caught.value) and "kernel log" in str(caught.value)


def test_from_any_half_state_the_same_list_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = settled(DNS, WEB, PTP)
    for already in ((), wanted[:1], wanted[1:], (f"{PTP} loc 0",), (*wanted, "sctp4 action 1 loc 9")):
        kernel(monkeypatch, *already)
        ntuple.write(PORT, {"rules": wanted})
        assert held() == wanted


def test_a_context_goes_by_its_number_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = (Context(3, (2, 3)), Context(8, (0, 1)))
    monkeypatch.setattr(ethtool_rss, "contexts", lambda name: contexts)
    made = kernel(monkeypatch, "tcp4 dst-port 80 context 2 loc 0")
    assert made.rules[0][-1] == 8
    assert held() == ("tcp4 dst-port 80 context 2 loc 0",)


def test_a_kind_of_rule_without_a_word_is_shown_and_can_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kernel(monkeypatch, f"{DNS} loc 0")
    made.rules[5] = (0x04, *made.rules[0][1:-2], 5, 0)
    assert held() == (f"{DNS} loc 0", "flow 0x4 loc 5")
    ntuple.write(PORT, {"rules": (f"{DNS} loc 0",)})
    assert held() == (f"{DNS} loc 0",)
