# SPDX-License-Identifier: GPL-3.0-or-later
"""Which profiles a NIC gets, how they lie over one another, and where each value says it comes from."""

from __future__ import annotations

import pytest

from wirespeed.errors import BadInput
from wirespeed.model.intent import Workload
from wirespeed.model.settings import Setting
from wirespeed.profiles.load import BUILT_IN, load
from wirespeed.profiles.resolve import resolve

from .profile_cases import igb, intent, node, values, virtio, write

RING = "tuning:\n  all:\n    rings: {{rx: {}}}\n"


def layered(site, nic=None, kernel="6.12", **wanted):
    return resolve(load([BUILT_IN, *site]), nic or igb(), node(kernel), intent(**wanted))


def profile(name, match, *blocks):
    return f"profile: {name}\nmatch: {match}\n" + "".join(blocks)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ("{driver: igb}", True),
        ("{driver: [ice, igb]}", True),
        ("{driver: ice}", False),
        ("{pci: '8086:10c9'}", True),
        ("{pci: '8086:10C9:1af4:1100'}", True),
        ("{pci: ['8086:1521', '8086:10c9']}", True),
        ("{pci: '8086:10c9:8086:0001'}", False),
        ("{driver: igb, kernel: '>=6.6 <7.0'}", True),
        ("{driver: igb, kernel: '>=6.13'}", False),
        ("{driver: igb, kernel: '=6.12'}", True),
        ("{driver: igb, firmware: '>=3.25'}", True),
        ("{driver: igb, firmware: '<3.25'}", False),
        ("any", True),
        ("named", False),
    ],
)
def test_a_profile_matches_by_driver_device_firmware_and_kernel(tmp_path, match, taken):
    site = write(tmp_path / "site", mine=profile("mine", match))
    names = layered([site], igb(firmware="3.25, 0x800005cc")).names
    assert ("mine" in names) is taken


def test_a_firmware_that_tells_no_version_is_in_no_range(tmp_path):
    site = write(tmp_path / "site", mine=profile("mine", "{firmware: '>=1.0'}"))
    assert "mine" not in layered([site], igb(firmware="")).names


def test_the_more_specific_profile_is_stronger(tmp_path):
    site = write(
        tmp_path / "site",
        a=profile("exact", "{pci: '8086:10c9:1af4:1100'}"),
        b=profile("device", "{pci: '8086:10c9'}"),
        c=profile("device-new", "{pci: '8086:10c9', kernel: '>=6.6'}"),
        d=profile("driver", "{driver: igb}"),
        e=profile("everywhere", "any"),
    )
    names = layered([site]).names
    assert names == ("generic", "igb", "everywhere", "driver", "device", "device-new", "exact")


def test_a_sites_profile_lies_over_a_built_in_one_of_the_same_name(tmp_path):
    site = write(tmp_path / "site", igb=profile("igb", "{driver: igb}", RING.format(2048)))
    resolved = layered([site])
    assert resolved.names == ("generic", "igb", "igb")
    assert values(resolved)["rings.rx"] == 2048 and values(resolved)["channels.combined"] == 2


def test_a_later_directory_is_stronger_than_an_earlier_one_whatever_they_match_by(tmp_path):
    fleet = write(tmp_path / "fleet", a=profile("fleet", "{pci: '8086:10c9'}", RING.format(2048)))
    rack = write(tmp_path / "rack", a=profile("rack", "any", RING.format(512)))
    assert values(layered([fleet, rack]))["rings.rx"] == 512


def test_each_value_tells_file_line_and_reason(tmp_path):
    text = "tuning:\n  drop:\n    rings:\n      rx:\n        value: 512\n        why: our cache is small\n"
    site = write(tmp_path / "site", mine=profile("mine", "{driver: igb}", text))
    tuning = {f"{s}.{k}": w for s, wants in layered([site]).tuning.items() for k, w in wants.items()}
    assert (tuning["rings.rx"].origin, tuning["rings.rx"].why) == (f"{site}/mine.yml:6", "our cache is small")
    lines = (BUILT_IN / "generic.yml").read_text(encoding="utf-8").splitlines()
    file, _, line = tuning["rss.indirection"].origin.partition(":")
    assert file == "generic.yml" and lines[int(line) - 1].strip() == "indirection:"


def test_a_workloads_section_lies_over_all_of_the_same_profile(tmp_path):
    text = "tuning:\n  forward:\n    rings: {rx: 2048}\n  all:\n    rings: {rx: 512, tx: 512}\n"
    site = write(tmp_path / "site", mine=profile("mine", "{driver: igb}", text))
    forward = values(layered([site], workload=Workload.FORWARD))
    assert (forward["rings.rx"], forward["rings.tx"]) == (2048, 512)
    assert values(layered([site], workload=Workload.STACK))["rings.rx"] == 512


def test_null_unsets_what_weaker_profiles_gave(tmp_path):
    text = "tuning:\n  all:\n    rss: {indirection: null}\n  drop:\n    rings: {rx: null}\n"
    site = write(tmp_path / "site", mine=profile("mine", "{driver: igb}", text))
    assert set(values(layered([]))) - set(values(layered([site]))) == {"rss.indirection", "rings.rx"}
    assert not set(values(layered([site]))) - set(values(layered([])))


def test_an_expression_may_leave_a_value_alone(tmp_path):
    site = write(tmp_path / "site", mine=profile("mine", "{driver: igb}", RING.format("'{{ none }}'")))
    assert "rings.rx" not in values(layered([site]))


def test_a_condition_is_replaced_by_its_id_and_removed_by_null(tmp_path):
    text = "constraints:\n  guest_offloads: null\n  mine: {holds: true, errno: EINVAL, explain: x, remedy: y}\n"
    site = write(tmp_path / "site", mine=profile("mine", "{driver: virtio_net}", text))
    assert [each.id for each in layered([site], virtio()).constraints] == ["mtu", "mine"]


def test_a_list_is_replaced_whole(tmp_path):
    site = write(tmp_path / "site", mine=profile("mine", "{driver: virtio_net}", "undone_by:\n  rss: [attach]\n"))
    assert layered([site], virtio()).undone_by[Setting.RSS] == ("attach",)


def test_what_a_profile_extends_comes_right_before_it(tmp_path):
    site = write(tmp_path / "site", mine=profile("mine", "{driver: igb_avb}", "extends: igb\n"))
    assert layered([site], igb().__class__(**{**vars(igb()), "driver": "igb_avb"})).names == ("generic", "igb", "mine")


def test_a_named_profile_replaces_matching(tmp_path):
    site = write(tmp_path / "site", mine=profile("slow", "named", "extends: igb\n", RING.format(256)))
    resolved = layered([site], profile="slow")
    assert resolved.names == ("generic", "igb", "slow") and values(resolved)["rings.rx"] == 256


def test_an_unknown_profile_is_told_with_those_there_are():
    with pytest.raises(BadInput) as caught:
        layered([], profile="vmxnet")
    told = str(caught.value)
    assert "profile of eth1: 'vmxnet' is not known here. Did you mean 'vmxnet3'? Allowed: bnxt_en, e1000e, ena" in told


def test_a_profile_named_for_another_driver_is_taken_and_told():
    findings = layered([], virtio(), profile="igb").findings
    assert findings[0] == "profile igb is asked for by name, though it is not made for this virtio_net."


def test_an_unknown_driver_gets_the_generic_profile_and_is_told():
    stranger = igb().__class__(**{**vars(igb()), "driver": "tulip"})
    resolved = layered([], stranger)
    assert resolved.names == ("generic",)
    assert "no profile knows the driver 'tulip'" in resolved.findings[0]
    assert set(values(resolved)) == {"rss.indirection", "irq_affinity.cpus", "rps.cpus"}


def test_the_digest_changes_with_the_values_and_not_with_the_files(tmp_path):
    one = write(tmp_path / "one", a=profile("mine", "{driver: igb}", RING.format(512)))
    same = write(tmp_path / "same", b="# a comment\n" + profile("other", "{driver: igb}", RING.format(512)))
    two = write(tmp_path / "two", a=profile("mine", "{driver: igb}", RING.format(1024)))
    digests = [layered([site]).digest for site in (one, same, two)]
    assert digests[0] == digests[1] != digests[2]
