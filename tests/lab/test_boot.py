# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that reboots comes back by itself, before its network is up; and it can be rid of all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Dict, Iterator, List

import pytest

from tests import playbook
from tests.depth import deep
from tests.playbook import Play

from . import Node, inventory
from .site import DENIED_V4, INTERFACES, Site

NICS = ("igb", "virtio:queues=4:rss=on")
IGB, VIRTIO = INTERFACES[:2]
OURS = (
    "/etc/systemd/system/wirespeed*",
    "/etc/udev/rules.d/*wirespeed*",
    "/run/wirespeed",
    "/sys/fs/bpf/wirespeed",
    "/usr/local/lib/wirespeed",
    "/usr/local/sbin/wirespeed",
    "/var/lib/wirespeed",
)


@pytest.fixture(scope="module")
def booted(module_node: Callable[..., Node]) -> Iterator[Site]:
    """Set up by the playbook and rebooted from the same disk; nobody but the node has done anything since."""
    machine = module_node("6.12", *NICS)
    site = Site(machine, {name: {"pipeline": "scrubber"} for name in (IGB, VIRTIO)})
    site.run(wirespeed_boot=True)
    machine.reboot()
    return site


def role(site: Site, folder: Path, *arguments: str, name: str = "boot", **variables: object) -> Play:
    """One role alone."""
    named = {"role": f"wirespeed.xdp.{name}", **variables}
    plays = [{"hosts": "all", "become": True, "gather_facts": False, "roles": [named]}]
    (folder / "play.json").write_text(json.dumps(plays))
    return playbook.run(inventory.document([site.node]), str(folder / "play.json"), arguments=list(arguments))


def shown(site: Site, unit: str, *names: str) -> Dict[str, str]:
    said = site.node.out(f"systemctl show {unit} -p {','.join(names)}")
    return dict(line.split("=", 1) for line in said.splitlines())


def left(site: Site) -> List[str]:
    return site.node.out(f"ls -d {' '.join(OURS)} 2>/dev/null || true").split()


def test_both_nics_carry_the_pipeline_natively(booted: Site) -> None:
    assert [booted.link(name)["xdp"]["mode"] for name in (IGB, VIRTIO)] == [1, 1]


def test_the_unit_was_done_before_anything_brought_the_network_up(booted: Site) -> None:
    found = shown(booted, "wirespeed.service", "Result", "ActiveState", "ActiveEnterTimestampMonotonic")
    assert (found["Result"], found["ActiveState"]) == ("success", "active")
    pre = shown(booted, "network-pre.target", "ActiveEnterTimestampMonotonic")
    assert 0 < int(found["ActiveEnterTimestampMonotonic"]) <= int(pre["ActiveEnterTimestampMonotonic"])


def test_a_denied_frame_is_dropped_and_another_passes(booted: Site) -> None:
    booted.quiet()
    before = booted.verdicts()
    with booted.node.wire(0) as wire:
        denied = wire.stream(100, source=DENIED_V4.replace("0/24", "7"))
        passed = wire.stream(50, source="198.51.100.7")
    booted.until(
        lambda: sum(booted.verdicts().values()) - sum(before.values()) >= denied + passed, "not every frame was judged"
    )
    counted = {name: packets - before[name] for name, packets in booted.verdicts().items() if packets != before[name]}
    assert counted == {"pass": passed, "deny_prefix_v4": denied}


@deep
def test_once_the_nics_are_up_a_run_of_the_playbook_finds_nothing_to_do(booted: Site) -> None:
    booted.quiet()
    booted.node.until("systemctl show wirespeed-up.service -p ActiveState | grep -q inactive", 110)
    again = booted.run(wirespeed_boot=True)
    assert booted.steps(again) == [] and again.changed(booted.node.name) == 0


def reload_igb(site: Site) -> None:
    site.node.ssh("modprobe -r igb && modprobe igb")
    site.node.until(f"test -e /sys/class/net/{IGB}")


def test_a_restore_brings_back_what_a_driver_lost_when_it_was_loaded_again(booted: Site) -> None:
    reload_igb(booted)
    assert "xdp" not in booted.link(IGB)
    restored = json.loads(booted.node.out("wirespeed restore --json"))
    assert restored["changed"] and restored["missing"] == restored["failed"] == []
    assert [booted.link(name)["xdp"]["mode"] for name in (IGB, VIRTIO)] == [1, 1]


@deep
def test_with_the_rule_for_nics_that_appear_it_comes_back_by_itself(booted: Site, tmp_path: Path) -> None:
    assert role(booted, tmp_path, "--check", boot_heal=True).changed(booted.node.name) > 0
    assert role(booted, tmp_path, boot_heal=True).changed(booted.node.name) > 0
    reload_igb(booted)
    booted.until(lambda: booted.link(IGB).get("xdp", {}).get("mode") == 1, "the program did not come back", 180)
    booted.node.until("systemctl show wirespeed-heal.service -p ActiveState | grep -q inactive", 110)
    assert shown(booted, "wirespeed-heal.service", "Result") == {"Result": "success"}


@deep
def test_a_timer_sweeps_the_maps_of_a_pipeline(booted: Site, tmp_path: Path) -> None:
    assert role(booted, tmp_path, boot_sweep=["scrubber"]).changed(booted.node.name) > 0
    timer, service = "wirespeed-sweep@scrubber.timer", "wirespeed-sweep@scrubber.service"
    assert shown(booted, timer, "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    booted.node.ssh(f"systemctl start {service}")
    assert shown(booted, service, "Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    assert role(booted, tmp_path).changed(booted.node.name) > 0
    assert not booted.node.out("ls /etc/systemd/system/*sweep* /etc/systemd/system/timers.target.wants/*sweep* || true")


SCRAPE = """
import urllib.request
text = urllib.request.urlopen("http://127.0.0.1:9742/metrics", timeout=60).read().decode()
asked = ("wirespeed_scrape_success", "wirespeed_pipeline_nics")
print(*(line for line in text.splitlines() if line.startswith(asked)), sep="\\n")
"""


def scraped(site: Site) -> List[str]:
    """Lines of the exporter, as soon as it answers: which parts it could read, and the NICs of each pipeline."""
    told: List[str] = []

    def answers() -> bool:
        told[:] = site.node.out(f"python3 -c '{SCRAPE}' 2>/dev/null || true").splitlines()
        return bool(told)

    site.until(answers, "the exporter does not answer", 120)
    return told


def test_the_exporter_reads_everything_within_its_sandbox(booted: Site, tmp_path: Path) -> None:
    asked = {"observability_install": False, "observability_walk": True, "observability_entities": 10}
    role(booted, tmp_path, name="observability", **asked)
    parts = ("nics", "pipelines", "maps", "entities")
    wanted = {f'wirespeed_scrape_success{{part="{part}"}} 1.0' for part in parts}
    assert {*wanted, 'wirespeed_pipeline_nics{pipeline="scrubber"} 2.0'} == set(scraped(booted))
    role(booted, tmp_path, name="observability", observability_state="absent")
    assert not booted.node.out("ls /etc/systemd/system/wirespeed-exporter* 2>/dev/null || true")


@deep
def test_check_mode_takes_nothing_off(booted: Site, tmp_path: Path) -> None:
    before = left(booted)
    assert role(booted, tmp_path, "--check", boot_state="absent").changed(booted.node.name) > 0
    assert left(booted) == before and ["xdp" in booted.link(name) for name in (IGB, VIRTIO)] == [True, True]


@deep
def test_when_the_role_is_absent_nothing_is_left(booted: Site, tmp_path: Path) -> None:
    assert role(booted, tmp_path, boot_state="absent").changed(booted.node.name) > 0
    assert left(booted) == [] and ["xdp" in booted.link(name) for name in (IGB, VIRTIO)] == [False, False]
    assert booted.node.out("bpftool -j prog show | grep -c wirespeed || true") == "0"


@deep
def test_when_the_role_is_absent_already_nothing_is_done(booted: Site, tmp_path: Path) -> None:
    role(booted, tmp_path, boot_state="absent")
    assert role(booted, tmp_path, boot_state="absent").changed(booted.node.name) == 0
