# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of Debian's three kernels tell of an upgrade: read from its packages, so no hardware is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Dict, Tuple

import pytest

from tests.unit import counter_cases
from tests.unit.upgrade_cases import Upgrade
from wirespeed.counters.unify import unify
from wirespeed.kernel.bound_driver import Bound
from wirespeed.kernel.installed_kernel import InstalledKernel
from wirespeed.model.intent import NicIntent
from wirespeed.profiles import explain
from wirespeed.profiles.load import BUILT_IN, load
from wirespeed.unseen import NODE, nic
from wirespeed.upgrade import counter_ways, reading
from wirespeed.upgrade.change import Aspect
from wirespeed.upgrade.evidence import DriverFacts, KernelFacts, Presence

from . import KERNELS, Image, drivers
from .test_driver_strings import DRIVERS, modules_of

Facts = Dict[str, KernelFacts]
NEWEST = "newest"


@pytest.fixture(scope="module")
def facts(lab_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """By kernel: what is read of every driver that has a profile, as if each drove a NIC of its name."""
    wanted = sorted({module for driver in DRIVERS for module in modules_of(driver)})
    return {
        label: _read(drivers.unpack(lab_image.kernel(label), wanted), tmp_path_factory.mktemp("kernel"))
        for label in KERNELS
    }


def _read(found: drivers.KernelDrivers, root: Path) -> KernelFacts:
    """The package's modules as a node has them: with the list that depmod makes, and the image beside."""
    release = found.kernel.release
    folder, boot = root / "lib" / "modules" / release, root / "boot"
    folder.mkdir(parents=True)
    boot.mkdir()
    for path in found.modules.values():
        (folder / path.name).symlink_to(path)
    (folder / "modules.dep").write_text("".join(f"{path.name}:\n" for path in found.modules.values()))
    (boot / f"vmlinuz-{release}").symlink_to(found.kernel.directory / "vmlinuz")
    nics = {driver: (reading.module_names(nic(driver), Bound(modules_of(driver)[0])), "") for driver in DRIVERS}
    return reading.read(InstalledKernel(release, root), nics)


def pair(facts: Facts, old: str, new: str, driver: str) -> Tuple[DriverFacts, DriverFacts]:
    return facts[old].drivers[driver], facts[new].drivers[driver]


def test_every_driver_with_a_profile_is_read_whole_in_every_kernel(facts: Facts) -> None:
    unread = [
        (label, name)
        for label, kernel in facts.items()
        for name, driver in kernel.drivers.items()
        if driver.presence is not Presence.MODULE or not driver.known or not driver.first.in_tree
    ]
    assert unread == []


def test_the_profiles_say_native_where_the_modules_can(facts: Facts) -> None:
    profiles = load([BUILT_IN])
    differ = []
    for kernel in facts.values():
        node = replace(NODE, kernel=kernel.kernel)
        for name, driver in kernel.drivers.items():
            told = explain.explain_unseen(profiles, nic(name), node, NicIntent("name", "eth1"))
            (said,) = [row["value"] for row in told["rows"] if row["section"] == "native"]
            if isinstance(said, bool) and said is not driver.able("native"):
                differ.append((kernel.kernel.release, name, said))
    assert differ == []


def test_the_flag_that_ice_loses_is_found_lost(facts: Facts) -> None:
    before, after = pair(facts, "6.12", NEWEST, "ice")
    upgrade = Upgrade("ice/fresh", "6.12", "7.2", before, after, nic={"private_flags": {"legacy-rx": True}})
    assert upgrade.told(Aspect.PRIVATE_FLAG) == {"legacy-rx": ("changes", "on", None)}


def test_a_flag_whose_table_the_compiler_folds_into_code_is_found_there(facts: Facts) -> None:
    """igb's has one entry: Debian's compiler leaves no table of it from 6.12 on."""
    before, after = pair(facts, "6.1", "6.12", "igb")
    assert before.private_flags == ("legacy-rx",) and after.private_flags is None
    upgrade = Upgrade("igb/fresh", "6.1", "6.12", before, after, nic={"private_flags": {"legacy-rx": False}})
    assert upgrade.told(Aspect.PRIVATE_FLAG) == {}


def test_a_new_flag_is_found_with_its_name(facts: Facts) -> None:
    before, after = pair(facts, "6.12", NEWEST, "e1000e")
    upgrade = Upgrade("e1000e/fresh", "6.12", "7.2", before, after, nic={"private_flags": {"s0ix-enabled": False}})
    assert upgrade.told(Aspect.PRIVATE_FLAG) == {"disable-k1": ("informs", None, "there")}


def test_flags_behind_pointers_are_read_through_their_relocations(facts: Facts) -> None:
    told = facts["6.12"].drivers["mlx5_core"].private_flags
    assert told is not None and told[0] == "rx_cqe_moder" and "rx_striding_rq" in told


def test_vmxnet3_gets_native_xdp_with_6_12(facts: Facts) -> None:
    before, after = pair(facts, "6.1", "6.12", "vmxnet3")
    assert (before.able("native"), after.able("native")) == (False, True)
    told = Upgrade("vmxnet3/fresh", "6.1", "6.12", before, after, mode="auto").told(Aspect.XDP)
    assert told["attach"] == ("changes", "generic", "native")


def test_virtio_net_s_counters_move_between_6_1_and_6_12(facts: Facts) -> None:
    table = counter_cases.table("virtio_net")
    seen = unify(table, counter_cases.virtio_61([{"packets": 1}, {"packets": 1}]), (6, 1))
    then = counter_ways.then("virtio_net", table, seen, facts["6.1"], facts["6.12"])
    assert counter_ways.now(seen)["xdp_drop"] == ("rx_queue_{q}_xdp_drops",)
    assert then["xdp_drop"] == ("rx{q}_xdp_drops",)
    assert then["driver_packets"][0] == "qstats:rx-packets"


def test_between_6_12_and_the_newest_virtio_net_s_counters_stay(facts: Facts) -> None:
    table = counter_cases.table("virtio_net")
    seen = unify(table, counter_cases.virtio_612([{"packets": 1}]), (6, 12))
    then = counter_ways.then("virtio_net", table, seen, facts["6.12"], facts[NEWEST])
    assert {name: ways for name, ways in then.items() if ways} == {
        name: ways for name, ways in counter_ways.now(seen).items() if ways
    }


@pytest.mark.parametrize(("old", "new"), [("6.1", "6.12"), ("6.12", NEWEST)])
def test_igb_loses_no_counter(facts: Facts, old: str, new: str) -> None:
    table = counter_cases.table("igb")
    seen = unify(table, counter_cases.igb([{"packets": 1}]), facts[old].kernel.version)
    then = counter_ways.then("igb", table, seen, facts[old], facts[new])
    now = counter_ways.now(seen)
    assert [name for name, ways in now.items() if ways and then[name] != ways] == []


def test_the_kernel_s_own_names_are_read_from_its_image(facts: Facts) -> None:
    told = [kernel.types is not None and "NETDEV_A_QSTATS_RX_PACKETS" in kernel.types for kernel in facts.values()]
    assert told == [False, True, True] and all(kernel.types for kernel in facts.values())


def test_a_device_is_claimed_by_the_module_s_table(facts: Facts) -> None:
    igb = facts["6.12"].drivers["igb"]
    i210, unknown = (f"pci:v00008086d0000{device}sv00008086sd00000001bc02sc00i00" for device in ("1533", "FFFF"))
    assert [DriverFacts(igb.modules, alias).claims for alias in (i210, unknown, "")] == [True, False, None]
