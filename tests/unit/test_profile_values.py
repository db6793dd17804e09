# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted values in range and rounded as the driver does; the intent laid over the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wirespeed.errors import BadInput, OutOfRange
from wirespeed.model.settings import Setting
from wirespeed.profiles.limits import Limit
from wirespeed.profiles.load import BUILT_IN, load
from wirespeed.profiles.resolve import resolve

from .profile_cases import e1000e, igb, intent, node, resolved, values, veth, virtio, vmxnet3, write


def from_site(tmp_path, driver, nic, tuning):
    text = f"profile: mine\nmatch: {{driver: {driver}}}\ntuning:\n  all: {tuning}\n"
    site = write(tmp_path / "site", mine=text)
    return resolve(load([BUILT_IN, site]), nic, node(), intent())


@pytest.mark.parametrize(
    ("limit", "asked", "held"),
    [
        (Limit(80, 4096, multiple=8), 1001, 1008),
        (Limit(80, 4096, multiple=8), 9999, 4096),
        (Limit(80, 4096, multiple=8), 1, 80),
        (Limit(80, 4095, multiple=8), 4095, 4088),
        (Limit(32, 4096, multiple=32, power_of_two="down"), 1000, 1024),
        (Limit(32, 4096, multiple=32, power_of_two="down"), 1056, 1024),
        (Limit(32, 4096, multiple=32, power_of_two="down"), 4095, 4096),
        (Limit(16, 8192, power_of_two="up"), 1025, 2048),
        (Limit(16, 3000, power_of_two="up"), 2500, 2048),
        (Limit(1, None), 70000, 70000),
    ],
)
def test_a_value_is_clamped_then_rounded_and_stays_within_the_maximum(limit, asked, held):
    assert limit.rounded(limit.clamped(asked)) == held


@pytest.mark.parametrize("value", [1001, 4095, 80, 257])
def test_a_rounded_value_is_rounded_to_itself(value):
    for limit in (Limit(80, 4096, multiple=8), Limit(32, 4096, multiple=32, power_of_two="down")):
        held = limit.rounded(limit.clamped(value))
        assert limit.rounded(limit.clamped(held)) == held


def test_a_profiles_value_beyond_the_nic_is_clamped_and_rounded(tmp_path):
    wanted = values(from_site(tmp_path, "igb", igb(), "{rings: {rx: 99999, tx: 1001}, channels: {combined: 64}}"))
    assert (wanted["rings.rx"], wanted["rings.tx"], wanted["channels.combined"]) == (4096, 1008, 8)


def test_an_intents_value_beyond_the_nic_is_an_error_that_tells_the_range():
    with pytest.raises(OutOfRange) as caught:
        resolved(igb(), tuning={"rings": {"rx": 99999}})
    assert str(caught.value) == (
        "eth1: tuning.rings.rx = 99999 is not possible here; allowed: 80 to 4096, rounded up to a multiple of 8."
    )


def test_an_intents_value_is_rounded_as_the_driver_does_and_that_is_told():
    profile = resolved(igb(), tuning={"rings": {"rx": 1001}})
    assert values(profile)["rings.rx"] == 1008
    assert (
        "rings.rx: 1001 becomes 1008, as igb holds it (80 to 4096, rounded up to a multiple of 8)." in profile.findings
    )


def test_the_intent_is_the_last_layer_and_its_own_origin():
    want = resolved(igb(), tuning={"rings": {"rx": 512}}).tuning[Setting.RINGS]["rx"]
    assert (want.value, want.origin) == (512, "intent")


def test_the_intents_null_leaves_a_setting_alone():
    assert "rings.rx" not in values(resolved(igb(), tuning={"rings": {"rx": None}}))


def test_the_intent_may_be_an_expression():
    assert values(resolved(igb(), tuning={"rings": {"rx": "{{ nic.max.rings.rx // 2 }}"}}))["rings.rx"] == 2048


def test_numbers_and_switches_that_came_as_text_are_taken_as_such():
    wanted = values(resolved(igb(), tuning={"rings": {"rx": "512"}, "features": {"rx-gro": "off"}}))
    assert (wanted["rings.rx"], wanted["features.rx-gro"]) == (512, False)


@pytest.mark.parametrize(
    ("tuning", "said"),
    [
        ({"ringz": {"rx": 1}}, "eth1: tuning.ringz: 'ringz' is not known here. Did you mean 'rings'?"),
        ({"rings": {"rxx": 1}}, "eth1: tuning.rings.rxx: 'rxx' is not known here. Did you mean 'rx'?"),
        ({"features": {"rx-lor": False}}, "tuning.features.rx-lor: 'rx-lor' is not known here. Did you mean 'rx-lro'?"),
        ({"rings": {"rx": "many"}}, "eth1: tuning.rings.rx: gives 'many'. Allowed: a whole number."),
        ({"rings": {"rx": True}}, "eth1: tuning.rings.rx: gives True. Allowed: a whole number."),
        ({"rings": {"rx": 512.5}}, "eth1: tuning.rings.rx: gives 512.5. Allowed: a whole number."),
        ({"features": {"rx-gro": "maybe"}}, "tuning.features.rx-gro: gives 'maybe'. Allowed: true or false."),
        ({"rss": {"indirection": 3}}, "tuning.rss.indirection: gives 3. Allowed: 'equal'"),
        ({"rings": {"rx": "{{ nic.max.rings.xr }}"}}, "nic.max.rings has no 'xr'"),
    ],
)
def test_a_wrong_word_in_the_intent_is_told_with_what_is_allowed(tuning, said):
    with pytest.raises(BadInput) as caught:
        resolved(igb(), tuning=tuning)
    assert str(caught.value).startswith("intent: ") and said in str(caught.value)


def test_an_intent_for_a_setting_that_the_nic_has_not_is_an_error():
    with pytest.raises(BadInput, match=r"intent: eth1: tuning\.channels\.combined: e1000e: Operation not supported\."):
        resolved(e1000e(), tuning={"channels": {"combined": 2}})


def test_a_profile_for_a_setting_that_the_nic_has_not_is_left_out_and_told(tmp_path):
    profile = from_site(tmp_path, "e1000e", e1000e(), "{channels: {combined: 2}}")
    assert Setting.CHANNELS not in profile.tuning
    assert any(f.startswith("channels: combined (") and "left out: e1000e" in f for f in profile.findings)


def test_a_wish_that_is_for_nothing_here_is_left_out_without_a_word():
    """No irqbalance runs, and there is one send queue: most machines are so."""
    nic = igb()
    one_queue = {each: facts for each, facts in nic.settings.items() if each is not Setting.XPS}
    profile = resolved(replace(nic, settings=one_queue), workload="forward")
    assert not {Setting.IRQBALANCE, Setting.XPS} & set(profile.tuning) and not profile.findings


@pytest.mark.parametrize(
    "reason", ["irqbalance bans (this version cannot hold 104 interrupts)", "irqbalance setup: ..."]
)
def test_an_irqbalance_that_runs_and_cannot_be_told_is_told_to_the_user(reason):
    profile = resolved(igb(unsupported={Setting.IRQBALANCE: reason}))
    assert any("keeps-off" in finding and reason.rstrip(".") in finding for finding in profile.findings)


def test_a_wish_of_the_intent_is_never_left_out_without_a_word():
    with pytest.raises(BadInput, match=r"irqbalance \(not running"):
        resolved(igb(), tuning={"irqbalance": {"keeps-off": True}})


def test_an_intent_against_a_fixed_feature_is_an_error():
    with pytest.raises(OutOfRange, match="rx-vlan-hw-parse = True is not possible here; allowed: only False, as it is"):
        resolved(virtio(), tuning={"features": {"rx-vlan-hw-parse": True}})


def test_a_fixed_feature_that_is_as_wanted_is_no_matter():
    profile = resolved(igb())
    assert "features.rx-lro" not in values(profile) and not profile.findings


def test_a_profile_against_a_fixed_feature_is_left_out_and_told(tmp_path):
    profile = from_site(tmp_path, "virtio_net", virtio(), "{features: {rx-checksum: false}}")
    assert "features.rx-checksum" not in values(profile)
    assert any(finding.startswith("features.rx-checksum: stays True; ") for finding in profile.findings)


def test_channels_that_the_driver_never_changes_are_told_as_such():
    with pytest.raises(OutOfRange, match=r"channels\.combined = 4 .* only 2, as it is: vmxnet3 chooses its queues"):
        resolved(vmxnet3(), tuning={"channels": {"combined": 4}})


def test_features_may_be_named_as_the_ethtool_command_does():
    wanted = values(resolved(vmxnet3(), tuning={"features": {"large-receive-offload": True, "rxvlan": True}}))
    assert wanted["features.rx-lro"] is True and wanted["features.rx-vlan-hw-parse"] is True


def test_a_group_of_features_stands_for_those_that_can_change():
    nic = veth()
    wanted = values(resolved(nic, tuning={"features": {"tx-checksumming": False}}))
    assert wanted["features.tx-checksum-ip-generic"] is False


def test_an_rss_table_may_be_a_list_of_queues():
    wanted = values(resolved(igb(), tuning={"rss": {"indirection": [0, 1] * 64}}))
    assert wanted["rss.indirection"] == (0, 1) * 64


def test_every_integer_want_of_a_built_in_profile_is_one_that_its_driver_holds():
    for nic in (igb(), virtio(), vmxnet3(), e1000e(), veth()):
        for workload in ("drop", "forward", "stack"):
            tuned = resolved(nic, workload=workload)
            asked = {
                str(setting): {k: want.value for k, want in wants.items()} for setting, wants in tuned.tuning.items()
            }
            assert values(resolved(nic, workload=workload, tuning=asked)) == values(tuned)
