# SPDX-License-Identifier: GPL-3.0-or-later
"""What tuned's active profile sets on a NIC."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from tests.probes import requires
from wirespeed.managers import tuned
from wirespeed.managers.table import claims
from wirespeed.managers.tree import Tree
from wirespeed.managers.tuned import named

from .manager_cases import IGB, Subject, claimed, places, told, tree

FAST = """\
#
# tuned configuration
#
[main]
summary=Fast network
include=throughput-performance

[sysctl]
net.core.rmem_max = 16777216

[net]
devices=enp*
# descriptors
ring=rx 1024 tx 512
coalesce=adaptive-rx off, rx-usecs: 3
features=gro off tx off
pause=autoneg off rx on
txqueuelen=5000
mtu=9000
wake_on_lan=d
"""
BASE = "[main]\nsummary=Base\n[net]\nring=rx 64\nchannels=combined 2\n"


def files(profile: str = FAST, **more: str) -> Dict[str, str]:
    return {
        "/etc/tuned/active_profile": "fast\n",
        "/etc/tuned/profile_mode": "manual\n",
        "/etc/tuned/fast/tuned.conf": profile,
        "/run/tuned/tuned.pid": "612",
        "/proc/612/comm": "tuned",
        **more,
    }


def test_every_option_of_the_net_plugin_becomes_our_setting(tmp_path: Path) -> None:
    assert told(claimed(tmp_path, files())) == {
        "rings.rx": 1024,
        "rings.tx": 512,
        "coalesce.adaptive-rx": False,
        "coalesce.rx-usecs": 3,
        "features.rx-gro": False,
        "features.tx-checksum-ip-generic": False,
        "pause.autoneg": False,
        "pause.rx": True,
        "txqueuelen.txqueuelen": 5000,
        "mtu.mtu": 9000,
    }


def test_claim_names_file_line_and_option(tmp_path: Path) -> None:
    assert places(claimed(tmp_path, files()))["rings.rx"] == "/etc/tuned/fast/tuned.conf:14, [net] ring"


def test_no_profile_is_active(tmp_path: Path) -> None:
    assert claimed(tmp_path, {**files(), "/etc/tuned/active_profile": "\n"}) == []


def test_a_daemon_that_does_not_run_claims_nothing_now(tmp_path: Path) -> None:
    found = claimed(tmp_path, {path: text for path, text in files().items() if not path.startswith("/proc")})
    assert found and not any(claim.active for claim in found)


def test_virtual_interfaces_are_left_alone(tmp_path: Path) -> None:
    assert claimed(tmp_path, files(), kind="virtual") == []


def test_own_options_lie_over_those_of_the_included_profile(tmp_path: Path) -> None:
    found = claimed(tmp_path, files(**{"/usr/lib/tuned/throughput-performance/tuned.conf": BASE}))
    assert told(found)["rings.rx"] == 1024 and told(found)["channels.combined"] == 2
    assert places(found)["channels.combined"] == "/usr/lib/tuned/throughput-performance/tuned.conf:5, [net] channels"


def test_a_replacing_section_drops_the_included_one(tmp_path: Path) -> None:
    own = "[main]\ninclude=base\n[net]\nreplace=1\nmtu=9000\n"
    assert told(claimed(tmp_path, files(own, **{"/usr/lib/tuned/base/tuned.conf": BASE}))) == {"mtu.mtu": 9000}


def test_a_dropped_option_is_gone(tmp_path: Path) -> None:
    own = "[main]\ninclude=base\n[net]\ndrop=ring\n"
    found = claimed(tmp_path, files(own, **{"/usr/lib/tuned/base/tuned.conf": BASE}))
    assert told(found) == {"channels.combined": 2}


def test_devices_of_the_included_section_do_not_bind_ones_own(tmp_path: Path) -> None:
    base = {"/usr/lib/tuned/base/tuned.conf": "[net]\ndevices=enp9s0\nring=rx 64\n"}
    assert told(claimed(tmp_path, files("[main]\ninclude=base\n[net]\nmtu=1400\n", **base))) == {
        "rings.rx": 64,
        "mtu.mtu": 1400,
    }


def test_a_disabled_section_claims_nothing(tmp_path: Path) -> None:
    assert claimed(tmp_path, files("[net]\nenabled=false\nring=rx 64\n")) == []


def test_the_administrators_profile_hides_the_shipped_one(tmp_path: Path) -> None:
    shipped = {"/usr/lib/tuned/profiles/fast/tuned.conf": "[net]\nring=rx 64\n"}
    assert told(claimed(tmp_path, files(**shipped)))["rings.rx"] == 1024


def test_a_profile_may_include_the_one_that_it_hides(tmp_path: Path) -> None:
    own = "[main]\ninclude=fast\n[net]\nmtu=9000\n"
    shipped = {"/usr/lib/tuned/fast/tuned.conf": "[net]\nring=rx 64\n"}
    assert told(claimed(tmp_path, files(own, **shipped))) == {"rings.rx": 64, "mtu.mtu": 9000}


def test_profiles_that_include_each_other_come_to_an_end(tmp_path: Path) -> None:
    other = {"/etc/tuned/other/tuned.conf": "[main]\ninclude=fast\n[net]\nmtu=1400\n"}
    found = claimed(tmp_path, files("[main]\ninclude=other\n[net]\nring=rx 64\n", **other))
    assert told(found) == {"rings.rx": 64, "mtu.mtu": 1400}


def test_an_included_profile_that_only_tuned_can_tell_is_a_note(tmp_path: Path) -> None:
    host = tree(tmp_path, files("[main]\ninclude=${f:virt_check:guest:metal}\n[net]\nring=rx 64\n"))
    assert told(list(claims(host, Subject(IGB)))) == {"rings.rx": 64}
    assert host.notes == [
        (
            "/etc/tuned/fast/tuned.conf:2: includes ${f:virt_check:guest:metal}, a profile that only tuned can tell; "
            "what it sets on NICs is not known."
        )
    ]


def test_folders_of_profiles_are_those_of_the_main_file(tmp_path: Path) -> None:
    moved = {
        "/etc/tuned/tuned-main.conf": "profile_dirs = /srv/tuned\n",
        "/srv/tuned/fast/tuned.conf": "[net]\nmtu=1\n",
    }
    assert told(claimed(tmp_path, files(**moved))) == {"mtu.mtu": 1}


def test_several_profiles_are_merged_in_their_order(tmp_path: Path) -> None:
    more = {"/etc/tuned/active_profile": "base fast", "/etc/tuned/base/tuned.conf": BASE}
    assert told(claimed(tmp_path, {**files(), **more}))["rings.rx"] == 1024


def test_a_second_section_of_the_plugin_gets_only_devices_that_the_first_leaves(tmp_path: Path) -> None:
    two = "[dmz]\ntype=net\ndevices=enp2s0\nring=rx 64\n[lan]\ntype=net\nring=rx 128\n[rest]\ntype=net\nmtu=1400\n"
    assert told(claimed(tmp_path, files(two))) == {"rings.rx": 128}


def test_the_lower_priority_number_comes_first(tmp_path: Path) -> None:
    two = "[a]\ntype=net\nring=rx 64\n[b]\ntype=net\npriority=-5\nring=rx 128\n"
    assert told(claimed(tmp_path, files(two))) == {"rings.rx": 128}


@pytest.mark.parametrize(("regex", "hit"), [("^ID_NET_DRIVER=igb$", True), ("DRIVER=ice", False), ("(", True)])
def test_devices_by_what_udev_says(tmp_path: Path, regex: str, hit: bool) -> None:
    found = claimed(tmp_path, files(f"[net]\ndevices_udev_regex={regex}\nmtu=9000\n"), {"ID_NET_DRIVER": "igb"})
    assert bool(found) is hit


def test_variables_are_put_in(tmp_path: Path) -> None:
    text = "[variables]\ninclude=/etc/tuned/vars.conf\nsize=${half}\n[net]\nring=rx ${size}\n"
    found = claimed(tmp_path, files(text, **{"/etc/tuned/vars.conf": "half=128\n"}))
    assert told(found) == {"rings.rx": 128}


def test_what_only_tuned_can_compute_is_a_claim_without_value(tmp_path: Path) -> None:
    text = "[net]\nchannels=combined ${f:check_net_queue_count:${netdev_queue_count}}\n"
    assert told(claimed(tmp_path, files(text))) == {"channels.combined": None}


def test_channels_are_asked_for_in_the_kind_that_the_nic_has(tmp_path: Path) -> None:
    assert told(claimed(tmp_path, files("[net]\nchannels=rx 2 tx 3\n"))) == {"channels.combined": 3}


def test_isolated_cores_move_interrupts(tmp_path: Path) -> None:
    text = "[variables]\nisolated_cores=2-3\n[scheduler]\nisolated_cores=${isolated_cores}\n"
    found = claimed(tmp_path, files(text))
    assert told(found) == {"irq_affinity.cpus": None}
    assert places(found)["irq_affinity.cpus"].endswith("tuned.conf:4, [scheduler] isolated_cores")


@pytest.mark.parametrize("text", ["[scheduler]\nisolated_cores=2\nirq_process=false\n", "[scheduler]\nrunnable=1\n"])
def test_a_scheduler_that_leaves_interrupts_alone(tmp_path: Path, text: str) -> None:
    assert claimed(tmp_path, files(text)) == []


@pytest.mark.parametrize(
    ("rules", "hit"),
    [("*", True), ("eth0", False), ("eth0, enp1*", True), ("!enp1s0", False), ("enp* !enp1s0", False), ("!eth0", True)],
)
def test_device_rules(rules: str, hit: bool) -> None:
    assert named(rules, "enp1s0") is hit


def test_the_files_of_a_profile_come_included_first(tmp_path: Path) -> None:
    host = tree(tmp_path, files(**{"/usr/lib/tuned/throughput-performance/tuned.conf": BASE}))
    assert [path for path, dummy in tuned.files(host, ["fast"])] == [
        "/usr/lib/tuned/throughput-performance/tuned.conf",
        "/etc/tuned/fast/tuned.conf",
    ]


@requires("tuned")
def test_every_profile_that_tuned_ships_is_understood() -> None:
    host = Tree()
    shipped = [*Path("/usr/lib/tuned").glob("*/tuned.conf"), *Path("/usr/lib/tuned/profiles").glob("*/tuned.conf")]
    assert shipped
    for path in shipped:
        units = tuned.merged(tuned.files(host, [path.parent.name]))
        assert units.get("main"), path
    assert all("only tuned can tell" in note for note in host.notes)
