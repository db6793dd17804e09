# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a few numbers and switches: what is settled, what floats, and what goes to the kernel."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Dict, List, Mapping, Tuple

import pytest

from wirespeed.errors import NotSupported, OutOfRange
from wirespeed.kernel import ethtool_fec, ethtool_netlink, ethtool_parameters
from wirespeed.kernel.port import Port
from wirespeed.model.settings import SettingFacts
from wirespeed.nic import coalesce, eee, fec, pause, private_flags, rings, txqueuelen

PORT = Port("eth1", 7)


class Kernel:
    """Answers every ethtool message with ``reply`` and keeps what was asked."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.reply = reply
        self.asked: List[Tuple[str, int, Any]] = []

    def __call__(self, name: str, command: int, layout: Any, port: Any, body: Any = None, flags: int = 0) -> Any:
        self.asked.append((name, command, body))
        return self.reply


def kernel(monkeypatch: pytest.MonkeyPatch, **reply: Any) -> Kernel:
    made = Kernel({"header": {"index": 7}, **reply})
    monkeypatch.setattr(ethtool_parameters, "call", made)
    monkeypatch.setattr(ethtool_netlink, "call", made)
    return made


MLX5 = {"rx-usecs": 8, "rx-frames": 128, "tx-usecs": 16, "tx-frames": 32, "adaptive-rx": True, "adaptive-tx": False}
ADAPTIVE = SettingFacts(MLX5, floating=frozenset({"rx-usecs", "rx-frames"}))


def test_switches_and_numbers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, **{"rx-usecs": 3, "adaptive-rx": 0, "cqe-mode-rx": 1})
    facts = coalesce.read(PORT)
    assert facts.values == {"rx-usecs": 3, "adaptive-rx": False, "cqe-mode-rx": True}
    assert [type(facts.values[key]) for key in ("rx-usecs", "adaptive-rx")] == [int, bool]


def test_what_adaptive_moderation_moves_is_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, **{**MLX5, "adaptive-rx": 1, "adaptive-tx": 0})
    assert coalesce.read(PORT) == ADAPTIVE


def test_driver_that_tells_nothing_has_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch)
    for room in (coalesce, pause, eee):
        with pytest.raises(NotSupported):
            room.read(PORT)


def test_driver_without_flags_has_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, flags={"bits": {"bit": []}})
    with pytest.raises(NotSupported):
        private_flags.read(PORT)


@pytest.mark.parametrize(
    ("want", "settled"),
    [
        ({"rx-usecs": 64}, {"rx-usecs": 64, "adaptive-rx": False}),
        ({"rx-usecs": 64, "adaptive-rx": True}, {"adaptive-rx": True}),
        ({"tx-usecs": 64, "tx-frames": 8}, {"tx-usecs": 64, "tx-frames": 8}),
        ({"tx-usecs": 64, "adaptive-tx": True}, {"adaptive-tx": True}),
        ({"adaptive-rx": False}, {"adaptive-rx": False}),
    ],
)
def test_fixed_times_and_adaptive_moderation_exclude_each_other(want: Dict[str, Any], settled: Dict[str, Any]) -> None:
    assert coalesce.settle(ADAPTIVE, want, {}) == settled


NEGOTIATING = SettingFacts({"autoneg": True, "rx": True, "tx": False}, floating=frozenset({"rx", "tx"}))


def test_negotiated_pause_frames_are_the_link_partners_word_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, autoneg=1, rx=1, tx=0)
    assert pause.read(PORT) == NEGOTIATING
    with pytest.raises(OutOfRange, match="autoneg: false"):
        pause.settle(NEGOTIATING, {"rx": False}, {})


def test_pause_frames_are_forced_without_negotiation() -> None:
    want = {"autoneg": False, "rx": False, "tx": False}
    assert pause.settle(NEGOTIATING, want, {}) == want


def test_negotiation_that_is_asked_for_overrules_fixed_directions() -> None:
    assert pause.settle(NEGOTIATING, {"autoneg": True, "rx": False}, {}) == {"autoneg": True}


@pytest.mark.parametrize(
    ("room", "facts", "want", "allowed"),
    [
        (coalesce, ADAPTIVE, {"rx-usecs": True}, "a whole number"),
        (coalesce, ADAPTIVE, {"rx-usecs": 2**32}, "a whole number from 0"),
        (coalesce, ADAPTIVE, {"adaptive-tx": 1}, "true or false"),
        (coalesce, ADAPTIVE, {"cqe-mode-rx": True}, "this NIC has no 'cqe-mode-rx'"),
        (pause, NEGOTIATING, {"autoneg": "yes"}, "true or false"),
        (private_flags, SettingFacts({"legacy-rx": False}), {"legacy_rx": True}, "only legacy-rx"),
        (txqueuelen, SettingFacts({"txqueuelen": 1000}), {"txqueuelen": -1}, "a whole number from 0"),
    ],
)
def test_impossible_value_says_what_is_allowed(
    room: ModuleType, facts: SettingFacts, want: Dict[str, Any], allowed: str
) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        room.settle(facts, want, {})


def test_only_given_parameters_are_sent_and_switches_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kernel(monkeypatch).asked
    coalesce.write(PORT, {"tx-usecs": 64, "cqe-mode-rx": True})
    pause.write(PORT, {"autoneg": False, "tx": True})
    eee.write(PORT, {"enabled": False})
    assert asked == [
        ("COALESCE_SET", 20, {"tx-usecs": 64, "cqe-mode-rx": 1}),
        ("PAUSE_SET", 22, {"autoneg": 0, "tx": 1}),
        ("EEE_SET", 24, {"enabled": 0}),
    ]


def test_moderation_is_switched_before_times_are_fixed_because_bnxt_drops_them_in_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = kernel(monkeypatch).asked
    coalesce.write(PORT, {"rx-usecs": 64, "adaptive-rx": False})
    assert [body for _name, _command, body in asked] == [{"adaptive-rx": 0}, {"rx-usecs": 64}]


def test_undo_gives_moderation_back_and_not_what_it_had_chosen_for_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kernel(monkeypatch).asked
    coalesce.write(PORT, {"adaptive-rx": True, "rx-usecs": 37, "tx-usecs": 8})
    assert [body for _name, _command, body in asked] == [{"adaptive-rx": 1}, {"tx-usecs": 8}]


def test_private_flags_are_sent_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kernel(monkeypatch).asked
    private_flags.write(PORT, {"legacy-rx": True, "vf-ipsec": False})
    bits = [{"name": "legacy-rx", "value": True}, {"name": "vf-ipsec"}]
    assert asked == [("PRIVFLAGS_SET", 14, {"flags": {"bits": {"bit": bits}}})]


RINGS = {"rx-max": 4096, "rx": 256, "tx-max": 4096, "tx": 256, "tx-push": 0}


def test_rings_come_with_what_newer_kernels_tell_beside_the_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = {"rx-buf-len": 2048, "tcp-data-split": 1, "cqe-size": 64, "hds-thresh-max": 1023, "hds-thresh": 0}
    kernel(monkeypatch, **RINGS, **newer)
    facts = rings.read(PORT)
    assert facts.values == {
        "rx": 256,
        "tx": 256,
        "hds-thresh": 0,
        "rx-buf-len": 2048,
        "tcp-data-split": False,
        "cqe-size": 64,
        "tx-push": False,
    }
    assert facts.maxima == {"rx": 4096, "tx": 4096, "hds-thresh": 1023}


def test_driver_that_does_not_know_whether_it_splits_has_no_such_key(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, **RINGS)
    assert set(rings.read(PORT).values) == {"rx", "tx", "tx-push"}


def test_header_split_is_sent_as_the_kernels_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kernel(monkeypatch).asked
    rings.write(PORT, {"rx": 512, "tcp-data-split": True, "tx-push": False})
    assert asked == [("RINGS_SET", 16, {"rx": 512, "tcp-data-split": 2, "tx-push": 0})]


def test_refused_extra_is_not_tried_by_the_binding_which_knows_sizes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise NotSupported("ethtool RINGS_SET eth1", "setting tx push not supported")

    monkeypatch.setattr(ethtool_netlink, "call", refuse)
    with pytest.raises(NotSupported, match="tx push"):
        rings.write(PORT, {"tx-push": True})


def fec_kernel(monkeypatch: pytest.MonkeyPatch, **reply: Any) -> Kernel:
    made = kernel(monkeypatch, **reply)
    monkeypatch.setattr(ethtool_fec, "call", made)
    return made


def modes(*names: str) -> Dict[str, Any]:
    return {"no_mask": True, "bits": {"bit": [{"name": name, "value": True} for name in names]}}


@pytest.mark.parametrize(
    ("auto", "names", "encoding"),
    [(0, ("RS",), "rs"), (0, ("BASER", "RS"), "rs baser"), (1, ("RS",), "auto"), (0, ("None",), "off")],
)
def test_error_correction_is_read(monkeypatch: pytest.MonkeyPatch, auto: int, names: Any, encoding: str) -> None:
    fec_kernel(monkeypatch, auto=auto, modes=modes(*names))
    assert fec.read(PORT).values == {"encoding": encoding}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("auto", {"modes": modes(), "auto": 1}), ("rs baser", {"modes": modes("RS", "BASER"), "auto": 0})],
)
def test_error_correction_is_written(monkeypatch: pytest.MonkeyPatch, encoding: str, body: Any) -> None:
    asked = fec_kernel(monkeypatch).asked
    fec.write(PORT, {"encoding": encoding})
    assert asked == [("FEC_SET", 30, body)]


def test_error_correction_is_settled_in_one_order() -> None:
    facts = SettingFacts({"encoding": "off"})
    assert fec.settle(facts, {"encoding": "BaseR rs"}, {}) == {"encoding": "rs baser"}
    with pytest.raises(OutOfRange, match="auto, or one or more of off, rs, baser, llrs"):
        fec.settle(facts, {"encoding": "auto rs"}, {})
