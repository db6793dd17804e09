# SPDX-License-Identifier: GPL-3.0-or-later
"""What the profiles call a counter, a private flag or a devlink parameter is what the drivers of three kernels call it.

Held against the string tables of the modules in Debian's kernel packages, so no hardware is needed. A name that some
kernel does not have is ranged out in the profile (``kernel:``), or stands in an expression that asks for the kernel or
has a default, and then one kernel at least must have it. Names of the network core (rtnl, qstats) are held against the
kernel's own types.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import pytest

import wirespeed
from wirespeed.diagnose.raw_names import PAUSE, PCIE_STALLS
from wirespeed.kernel import ethtool_groups
from wirespeed.kernel.module_strings import ModuleStrings

from . import KERNELS, Image, drivers, named
from .drivers import CoreNames, KernelDrivers
from .named import Name

NAMES = named.in_profiles(Path(wirespeed.__file__).parent / "profiles") + [
    Name(driver, "ethtool_s", text, "diagnose/raw_names.py")
    for driver, texts in [*PAUSE.items(), *((driver, (text,)) for driver, text in PCIE_STALLS.items())]
    for text in texts
]
DRIVERS = sorted({name.driver for name in NAMES} - {"*"})
# Driver as the kernel reports it -> its modules, where they are called otherwise or a name may come from a second one.
MODULES = {
    "mlx4_core": ("mlx4_en", "mlx4_core"),
    "mlx4_en": ("mlx4_en", "mlx4_core"),
    "nfp_netvf": ("nfp",),
    "qede": ("qede", "qed"),
}
NOT_CHECKABLE: Dict[Tuple[str, str], str] = {}
"""(kernel, driver) -> "built in" or "not in this kernel": their names cannot be checked. Debian has all as modules."""

Found = Dict[Tuple[str, Name], str]


def modules_of(driver: str) -> Tuple[str, ...]:
    return MODULES.get(driver, (driver,))


@pytest.fixture(scope="module")
def kernels(lab_image: Image) -> Dict[str, KernelDrivers]:
    wanted = sorted({module for driver in DRIVERS for module in modules_of(driver)})
    return {label: drivers.unpack(lab_image.kernel(label), wanted) for label in KERNELS}


@pytest.fixture(scope="module")
def found() -> Found:
    """How each (kernel, name) was found; filled by the tests, told by the last one."""
    return {}


def holds(modules: List[ModuleStrings], core: CoreNames, name: Name) -> Optional[str]:
    if name.source == "rtnl":
        return "core" if name.text in core.rtnl else None
    if name.source == "qstats":
        return "core" if name.text in core.qstats else None
    if name.source == "groups":
        return "core" if name.text in core.groups else None
    return next(filter(None, (module.holds(name.text) for module in modules)), None)


@pytest.mark.parametrize("driver", ["*", *DRIVERS])
def test_each_name_is_one_of_the_drivers(kernels: Dict[str, KernelDrivers], found: Found, driver: str) -> None:
    missing = []
    somewhere = set()
    names = [name for name in NAMES if name.driver == driver]
    for label, kernel in kernels.items():
        modules = [module for module in map(kernel.module, modules_of(driver)) if module]
        if driver != "*" and (label, driver) in NOT_CHECKABLE:
            continue
        core = drivers.core_names(kernel.kernel)
        for name in names:
            how = holds(modules, core, name) if name.meant_for(kernel.version) else "ranged out"
            if how:
                found[label, name] = how
                somewhere.add(name)
            elif not name.guarded:
                missing.append(
                    f"{name.where}: {name.source} `{name.text}` is not in {driver} of {kernel.kernel.release}"
                )
    missing += [
        f"{name.where}: {name.text} is in no kernel" for name in names if name.guarded and name not in somewhere
    ]
    assert not missing, "Correct the name, or say `kernel:` where it is not there:\n" + "\n".join(missing)


def test_the_standard_groups_are_numbered_as_the_kernels_have_them(kernels: Dict[str, KernelDrivers]) -> None:
    """A newer kernel only adds: what is decoded by its number has the name that the kernel gives it."""
    ours = [f"{group}-{name}" for group, names in ethtool_groups.GROUPS.values() for name in names]
    for kernel in kernels.values():
        theirs = drivers.core_names(kernel.kernel).groups
        assert [name for name in theirs if name in ours] == ours


def test_a_driver_that_cannot_be_checked_is_known(kernels: Dict[str, KernelDrivers]) -> None:
    unknown = {
        (label, driver): kernel.why_absent(modules_of(driver)[0])
        for label, kernel in kernels.items()
        for driver in DRIVERS
        if not any(module in kernel.modules for module in modules_of(driver))
    }
    assert unknown == NOT_CHECKABLE


@pytest.mark.parametrize(
    ("driver", "text"),
    [("mlx5_core", "rx{q}_xdp_dropped"), ("igb", "rx_no_buffers_count"), ("i40e", "legacy_rx"), ("veth", "rx{q}_xdp")],
)
def test_a_name_that_nobody_has_is_not_found(kernels: Dict[str, KernelDrivers], driver: str, text: str) -> None:
    """The check can fail: near misses of names that are there."""
    modules = [kernel.module(driver) for kernel in kernels.values()]
    assert [module.holds(text) for module in modules if module] == [None] * len(KERNELS)


def test_a_name_of_the_core_is_held_against_the_kernel_that_has_it(kernels: Dict[str, KernelDrivers]) -> None:
    """Queue statistics came with Linux 6.9."""
    told = {label: drivers.core_names(kernel.kernel) for label, kernel in kernels.items()}
    assert all("rx_dropped" in names.rtnl and "rx-packets" not in names.rtnl for names in told.values())
    assert ["rx-packets" in told[label].qstats for label in KERNELS] == [False, True, True]


def test_what_was_checked_is_told(
    kernels: Dict[str, KernelDrivers], found: Found, record_property: Callable[[str, object], None]
) -> None:
    for label, kernel in kernels.items():
        ways = Counter(how for (where, _), how in found.items() if where == label)
        told = ", ".join(f"{count} {how}" for how, count in ways.most_common())
        record_property("told", f"driver strings of {kernel.kernel.release}: {len(kernel.modules)} modules; {told}")
