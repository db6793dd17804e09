# SPDX-License-Identifier: GPL-3.0-or-later
"""What the built-in profiles say of each driver on each kernel, held against what was measured there."""

from __future__ import annotations

import pytest

from wirespeed.model.settings import Setting
from wirespeed.model.step import Disruption
from wirespeed.namespace import namespace

from .profile_cases import NATIVE, e1000e, igb, node, resolved, values, veth, virtio, vmxnet3

NO_TAG = {"features.rx-vlan-hw-parse": False}
NO_TAG_EITHER_WAY = {**NO_TAG, "features.tx-vlan-hw-insert": False}
EQUAL = {"rss.indirection": "equal"}
KERNELS_SIDE = {"irq_affinity.cpus": "spread", "rps.cpus": "none"}
UDP_BY_PORTS = {"rss_fields.udp4": "sdfn", "rss_fields.udp6": "sdfn"}
ALL_OF_IGB = {
    **NO_TAG_EITHER_WAY,
    **EQUAL,
    **UDP_BY_PORTS,
    **KERNELS_SIDE,
    "channels.combined": 2,
    "rings.rx": 4096,
}
ALL_OF_VIRTIO = {"channels.combined": 2, "rings.rx": 256, "rings.tx": 256}

TUNED = {
    ("igb", "6.1"): ALL_OF_IGB,
    ("igb", "6.12"): ALL_OF_IGB,
    ("igb", "7.2"): ALL_OF_IGB,
    ("virtio_net", "6.1"): ALL_OF_VIRTIO,
    ("virtio_net", "6.12"): {**ALL_OF_VIRTIO, **EQUAL},
    ("virtio_net", "7.2"): {**ALL_OF_VIRTIO, **EQUAL},
    ("vmxnet3", "6.1"): {**NO_TAG, **EQUAL, "features.rx-lro": False, "rings.rx": 4096},
    ("vmxnet3", "6.12"): {**NO_TAG, **EQUAL, "features.rx-lro": False, "rings.rx": 4096},
    ("vmxnet3", "7.2"): {**NO_TAG, **EQUAL, "features.rx-lro": False, "rings.rx": 4096},
    ("e1000e", "6.1"): {**NO_TAG_EITHER_WAY, "rings.rx": 4096},
    ("e1000e", "6.12"): {**NO_TAG_EITHER_WAY, "rings.rx": 4096},
    ("e1000e", "7.2"): {**NO_TAG_EITHER_WAY, "rings.rx": 4096},
    ("veth", "6.1"): {"channels.rx": 1},
    ("veth", "6.12"): {"channels.rx": 1},
    ("veth", "7.2"): {"channels.rx": 1},
}

# bare/attached, as carrier changes and refusals were measured; "-" has no such operation.
COSTS = {
    "igb": "features none/none, mtu bounce/bounce, channels bounce/bounce, rings bounce/bounce, rss none/none, "
    "attach bounce/bounce, detach bounce/bounce, swap none/none",
    "virtio_net": "features none/none, mtu none/none, channels pause/refused, rings reset/reset, rss none/none, "
    "attach pause/pause, detach pause/pause, swap pause/pause",
    "vmxnet3": "features none/none, mtu bounce/refused, rings bounce/refused, rss none/none, "
    "attach bounce/bounce, detach bounce/bounce, swap none/none",
    "e1000e": "features bounce/bounce, mtu bounce/bounce, rings bounce/bounce, "
    "attach none/none, detach none/none, swap none/none",
    "veth": "features none/none, mtu none/none, channels bounce/bounce, "
    "attach none/none, detach reset/reset, swap none/none",
}

NICS = {"igb": igb, "virtio_net": virtio, "vmxnet3": vmxnet3, "e1000e": e1000e, "veth": veth}


def unmet(nic, kernel="6.12", **wanted):
    """The ids of the attach conditions that the NIC, as planned, does not meet."""
    profile = resolved(nic, kernel, **wanted)
    planned = {setting: dict(facts.values) for setting, facts in nic.settings.items()}
    for setting, wants in profile.tuning.items():
        planned[setting].update({key: want.value for key, want in wants.items()})
    names = namespace(nic, node(kernel), "", planned)
    return [each.id for each in profile.constraints if not each.holds(names)]


def explanation(nic, condition):
    return next(each for each in resolved(nic).constraints if each.id == condition)


@pytest.mark.parametrize(("driver", "kernel"), TUNED)
def test_a_driver_on_a_kernel_is_tuned_for_dropping(driver, kernel):
    profile = resolved(NICS[driver](), kernel)
    assert values(profile) == TUNED[driver, kernel] and profile.names == ("generic", driver)


@pytest.mark.parametrize("driver", COSTS)
def test_a_driver_costs_what_was_measured(driver):
    measured = ("features", "mtu", "channels", "rings", "rss", "attach", "detach", "swap")
    rules = resolved(NICS[driver]()).operations
    costs = {name: f"{rules[name].bare}/{rules[name].attached or 'refused'}" for name in measured if name in rules}
    assert costs == dict(item.split() for item in COSTS[driver].split(", "))


@pytest.mark.parametrize("kernel", ["6.1", "6.12", "7.2"])
def test_native_xdp_is_where_it_was_measured(kernel):
    native = {driver for driver, nic in NICS.items() if resolved(nic(), kernel).native}
    assert native == {"igb", "virtio_net", "veth"} | ({"vmxnet3"} if kernel != "6.1" else set())


def test_a_driver_without_native_xdp_says_why():
    assert resolved(vmxnet3(), "6.1").native_note == "vmxnet3 has it since Linux 6.6"
    assert resolved(e1000e()).native_note == "e1000e has no XDP in any Linux up to 7.2"


@pytest.mark.parametrize(
    ("workload", "rx", "tx"), [("drop", 4096, None), ("forward", 1024, 1024), ("stack", 1024, None)]
)
def test_rings_follow_the_workload(workload, rx, tx):
    wanted = values(resolved(igb(), workload=workload))
    assert (wanted["rings.rx"], wanted.get("rings.tx")) == (rx, tx)


AFTER_THE_ATTACH = {"irqbalance", "irq_affinity", "xps", "rps", "rfs", "napi", "host", "txqueuelen"}


def test_every_profile_orders_all_settings_and_what_enters_the_driver_before_the_attach():
    for nic in NICS.values():
        order = resolved(nic()).order
        assert {str(setting) for setting in Setting} < set(order)
        assert set(order[order.index("attach") + 1 :]) == AFTER_THE_ATTACH


# igb


def test_igb_has_no_more_queues_than_the_nic_offers():
    assert values(resolved(igb(), cpus=64))["channels.combined"] == 8


@pytest.mark.parametrize(("mtu", "ids"), [(1500, []), (1509, []), (3046, []), (3047, ["mtu"]), (9000, ["mtu"])])
def test_igb_holds_frames_that_fit_its_large_receive_buffer(mtu, ids):
    assert unmet(igb(), tuning={"mtu": {"mtu": mtu}}) == ids


def test_igb_with_legacy_receive_buffers_holds_less():
    def asked(mtu):
        return {"mtu": {"mtu": mtu}, "private_flags": {"legacy-rx": True}}

    assert unmet(igb(), tuning=asked(2022)) == [] and unmet(igb(), tuning=asked(2023)) == ["mtu"]


def test_legacy_receive_buffers_are_turned_off_where_somebody_turned_them_on():
    assert values(resolved(igb(legacy_rx=True)))["private_flags.legacy-rx"] is False
    assert "private_flags.legacy-rx" not in values(resolved(igb()))
    assert unmet(igb(legacy_rx=True), tuning={"mtu": {"mtu": 2023}}) == []


@pytest.mark.parametrize(
    ("before", "after", "attached"),
    [
        (1500, 1508, Disruption.BOUNCE),
        (1500, 1509, None),
        (1500, 3000, None),
        (2000, 3046, Disruption.BOUNCE),
        (2000, 1500, Disruption.BOUNCE),
        (2000, 3047, None),
    ],
)
def test_igb_refuses_an_mtu_beyond_the_receive_buffers_in_use(before, after, attached):
    profile = resolved(igb(before, xdp=NATIVE), tuning={"mtu": {"mtu": after}})
    assert profile.operations["mtu"].attached is attached


def test_igb_says_what_to_do_about_its_mtu():
    told = explanation(igb(9000), "mtu")
    assert told.explain.startswith("MTU 9000 makes frames of 9026 bytes") and told.explain.endswith(
        "buffer of 3072 bytes"
    )
    assert "anything up to 3046" in told.remedy and told.errno == "EINVAL" and told.origin.startswith("igb.yml:")


def test_igb_is_reset_by_a_change_of_its_filters_only():
    assert resolved(igb(), tuning={"features": {"ntuple": True}}).operations["features"].bare is Disruption.BOUNCE
    assert resolved(igb(), tuning={"features": {"rx-checksum": False}}).operations["features"].bare is Disruption.NONE


# virtio_net


@pytest.mark.parametrize(
    ("most", "cpus", "combined", "reads"), [(4, 2, 2, 4), (8, 2, 2, 4), (2, 2, 1, 1), (1, 2, 1, 1), (8, 6, 2, 8)]
)
def test_virtio_leaves_a_queue_pair_for_each_cpu_where_it_can(most, cpus, combined, reads):
    profile = resolved(virtio(most=most), cpus=cpus)
    assert values(profile)["channels.combined"] == combined
    assert profile.reads_attached[Setting.CHANNELS]["combined"] == reads


def test_virtio_plans_the_same_channels_with_and_without_a_program():
    bare, attached = resolved(virtio(combined=2)), resolved(virtio(combined=4, xdp=NATIVE))
    assert values(bare) == values(attached) and bare.reads_attached == attached.reads_attached


@pytest.mark.parametrize(("most", "told"), [(4, False), (2, True)])
def test_virtio_tells_when_send_queues_are_shared_under_a_lock(most, told):
    assert any("share send queues under a lock" in each for each in resolved(virtio(most=most)).findings) is told


def test_virtio_forgets_rss_whenever_its_queues_change():
    assert resolved(virtio()).undone_by[Setting.RSS] == ("attach", "detach", "channels")


@pytest.mark.parametrize(("kernel", "told"), [("6.1", True), ("6.12", False), ("7.2", False)])
def test_virtio_rss_is_left_alone_and_told_where_rewriting_it_goes_wrong(kernel, told):
    profile = resolved(virtio(), kernel)
    assert any("leaves RSS alone" in each for each in profile.findings) is told
    assert (Setting.RSS in profile.tuning) is not told


def test_virtio_without_rss_is_told_and_tuned_for_the_rest():
    profile = resolved(virtio(rss=False))
    assert Setting.RSS not in profile.tuning
    assert any(each.startswith("rss: indirection (virtio_net.yml:") for each in profile.findings)


def test_virtio_channels_need_a_detach():
    assert resolved(virtio()).operations["channels"].attached is None


@pytest.mark.parametrize(("feature", "attached"), [("rx-gro-hw", None), ("rx-gro", Disruption.NONE)])
def test_virtio_refuses_a_change_of_hardware_gro_alone_under_a_program(feature, attached):
    profile = resolved(virtio(xdp=NATIVE), tuning={"features": {feature: False}})
    assert profile.operations["features"].attached is attached


@pytest.mark.parametrize("xdp", [None, NATIVE])
@pytest.mark.parametrize(("mtu", "ids"), [(3506, []), (3507, ["mtu"]), (9000, ["mtu"])])
def test_virtio_and_its_mtu_are_judged_also_while_attached(xdp, mtu, ids):
    assert unmet(virtio(mtu=mtu, xdp=xdp)) == ids


def test_virtio_whose_host_keeps_its_offloads_is_refused_with_what_the_host_must_change():
    nic = virtio(fixed="rx-gro-hw")
    assert unmet(nic) == ["guest_offloads"]
    assert "ctrl_guest_offloads=on" in explanation(nic, "guest_offloads").remedy


def test_virtio_under_a_native_program_has_shown_that_its_offloads_allow_it():
    assert unmet(virtio(fixed="rx-gro-hw", xdp=NATIVE)) == []


# vmxnet3


@pytest.mark.parametrize("xdp", [None, NATIVE])
@pytest.mark.parametrize(("mtu", "ids"), [(3494, []), (3495, ["mtu"])])
def test_vmxnet3_and_its_mtu_are_judged_also_while_attached(xdp, mtu, ids):
    assert unmet(vmxnet3(mtu, xdp=xdp)) == ids


def test_an_mtu_that_the_intent_corrects_meets_the_condition():
    assert unmet(vmxnet3(9000), tuning={"mtu": {"mtu": 1500}}) == []


def test_vmxnet3_rings_are_powers_of_two_which_every_device_version_keeps():
    assert values(resolved(vmxnet3(), tuning={"rings": {"rx": 1100}}))["rings.rx"] == 1024


# veth


@pytest.mark.parametrize(("peer", "rx"), [(None, 1), (1, 1), (3, 3)])
def test_veth_has_a_receive_queue_for_each_send_queue_of_its_peer(peer, rx):
    nic = veth(peer_tx_queues=peer)
    assert values(resolved(nic))["channels.rx"] == rx and unmet(nic) == []


def test_veth_with_too_few_queues_is_refused_with_what_to_do():
    nic = veth(most=2, peer_tx_queues=3)
    assert unmet(nic) == ["queues"] and "ethtool -L PEER tx" in explanation(nic, "queues").remedy


@pytest.mark.parametrize(("mtu", "ids"), [(None, []), (3506, []), (3507, ["peer_mtu"])])
def test_veth_is_bound_by_its_peers_mtu(mtu, ids):
    assert unmet(veth(peer_mtu=mtu)) == ids


# unknown drivers


@pytest.mark.parametrize(("features", "native"), [(None, True), (frozenset(), False), (frozenset({"basic"}), True)])
def test_an_unknown_driver_has_native_xdp_when_the_kernel_says_so_or_cannot_say(features, native):
    stranger = igb().__class__(**{**vars(igb()), "driver": "tulip", "xdp_features": features})
    assert resolved(stranger).native is native


def test_an_unknown_driver_is_taken_to_be_the_worst_that_known_ones_are():
    stranger = igb().__class__(**{**vars(igb()), "driver": "tulip"})
    assert resolved(stranger).operations["channels"].attached is None
    assert resolved(stranger).operations["rings"].bare is Disruption.BOUNCE
