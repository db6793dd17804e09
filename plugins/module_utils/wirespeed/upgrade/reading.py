# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the files of an installed kernel tell about the drivers of a node's NICs. The only part that reads."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Tuple

from ..errors import Place, WirespeedError
from ..kernel import decompress
from ..kernel.bound_driver import Bound
from ..kernel.host import parse_release
from ..kernel.installed_kernel import InstalledKernel
from ..kernel.module_elf import ModuleElf
from ..kernel.module_strings import ModuleStrings
from ..model.nic import Nic
from .evidence import DriverFacts, KernelFacts, ModuleFacts, Presence

_BESIDE = {"qede": ("qed",), "mlx4_core": ("mlx4_en",), "mlx4_en": ("mlx4_core",)}
"""Modules that a driver's names come from too."""

_NATIVE = frozenset({"bpf_warn_invalid_xdp_action", "xdp_do_redirect"})
"""What a driver that runs programs itself calls (net/core/filter.c): for a verdict that is none, and to redirect."""

_ZERO_COPY = frozenset({"xsk_tx_peek_desc", "xsk_tx_peek_release_desc_batch"})
"""net/xdp/xsk.c: takes descriptors from an AF_XDP socket's ring."""


def module_names(nic: Nic, bound: Bound) -> Tuple[str, ...]:
    """The module that the NIC's device is bound to, then others; by the driver's name where sysfs tells none."""
    first = bound.module or nic.driver.replace("-", "_")
    return tuple(dict.fromkeys((first, *_BESIDE.get(first, ()))))


def read(kernel: InstalledKernel, nics: Mapping[str, Tuple[Tuple[str, ...], str]]) -> KernelFacts:
    """``nics``: name -> its modules (:func:`module_names`) and its device's modalias.

    What cannot be read is noted. Raises :class:`BadInput` where the kernel has no list of its modules.
    """
    notes: List[str] = []
    wanted = {name for modules, dummy in nics.values() for name in modules}
    found = _modules(kernel, wanted, notes)
    drivers = {nic: DriverFacts(tuple(_present(found, modules)), modalias) for nic, (modules, modalias) in nics.items()}
    options = kernel.options
    if options is None:
        notes.append(f"its configuration is not here (/boot/config-{kernel.release}), so its options are not compared")
    return KernelFacts(parse_release(kernel.release), drivers, options, _types(kernel, notes), tuple(notes))


def _present(found: Mapping[str, ModuleFacts], modules: Tuple[str, ...]) -> Iterable[ModuleFacts]:
    """The first, there or not; those beside it where they are."""
    return [found[name] for name in modules if name == modules[0] or found[name].presence is not Presence.ABSENT]


def _modules(kernel: InstalledKernel, wanted: Iterable[str], notes: List[str]) -> Dict[str, ModuleFacts]:
    files, built_in = kernel.modules, kernel.built_in
    found: Dict[str, ModuleFacts] = {}
    for name in wanted:
        if name in files:
            found[name] = _of_file(name, files[name], notes)
        elif name in built_in:
            found[name] = _of_modinfo(name, Presence.BUILT_IN, "", built_in[name])
            notes.append(f"{name} is built in, so neither the names of its counters nor its private flags can be read")
        else:
            found[name] = ModuleFacts(name, Presence.ABSENT)
    return found


def _of_file(name: str, path: Any, notes: List[str]) -> ModuleFacts:
    try:
        data = decompress.read(path)
        elf = ModuleElf(data, Place(str(path)))
        told = _of_modinfo(name, Presence.MODULE, str(path), elf.modinfo)
    except WirespeedError as error:
        notes.append(str(error))
        return ModuleFacts(name, Presence.MODULE, str(path))
    return _with_code(told, elf, ModuleStrings(data))


def _of_modinfo(name: str, presence: Presence, file: str, rows: Iterable[Tuple[str, str]]) -> ModuleFacts:
    told: Dict[str, List[str]] = {}
    for key, value in rows:
        told.setdefault(key, []).append(value)
    parameters = [value.partition(":")[0] for key in ("parmtype", "parm") for value in told.get(key, ())]
    return ModuleFacts(
        name=name,
        presence=presence,
        file=file,
        version=told.get("version", [""])[0],
        in_tree=presence is Presence.BUILT_IN or "intree" in told,
        aliases=tuple(told.get("alias", ())),
        parameters=tuple(dict.fromkeys(parameters)),
        firmware=tuple(told.get("firmware", ())),
    )


def _with_code(told: ModuleFacts, elf: ModuleElf, names: ModuleStrings) -> ModuleFacts:
    objects = elf.objects
    return ModuleFacts(
        **{
            **vars(told),
            "private_flags": elf.private_flags,
            "native": bool(elf.calls & (_NATIVE | _ZERO_COPY)),
            "zero_copy": bool(elf.calls & _ZERO_COPY),
            "hints": any(name.endswith("xdp_metadata_ops") for name in objects),
            "queue_stats": any(name.endswith("_stat_ops") for name in objects),
            "names": names,
        }
    )


def _types(kernel: InstalledKernel, notes: List[str]) -> Any:
    try:
        found = kernel.type_names()
    except WirespeedError as error:
        notes.append(str(error))
        return None
    if found is None:
        notes.append("its image with type information is not here, so its own names go by its version")
    return found


def unread(kernel: InstalledKernel, nics: Mapping[str, Tuple[Tuple[str, ...], str]], why: str) -> KernelFacts:
    """Where the running kernel's files are gone: its drivers run, and that is all that is known of them."""
    drivers = {
        nic: DriverFacts((ModuleFacts(modules[0], Presence.MODULE),), modalias)
        for nic, (modules, modalias) in nics.items()
    }
    return KernelFacts(parse_release(kernel.release), drivers, kernel.options, None, (why,))
