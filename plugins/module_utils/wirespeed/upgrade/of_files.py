# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes by what the files of two kernels tell: drivers, private flags, module parameters, options. Pure."""

from __future__ import annotations

from typing import Collection, Iterator, Mapping, Sequence

from ..kernel.module_options import ModuleOption
from ..model.nic import Nic
from .change import Aspect, Change, Severity
from .evidence import DriverFacts, KernelFacts, ModuleFacts, Presence
from .projection import flag_stays

_OPTIONS = {
    "BPF_SYSCALL": (Severity.BREAKS, "without it no program can be loaded"),
    "BPF_JIT": (Severity.CHANGES, "programs are interpreted without it"),
    "XDP_SOCKETS": (Severity.CHANGES, "AF_XDP sockets"),
    "DEBUG_INFO_BTF": (Severity.CHANGES, "programs that ask for the kernel's types, and traces by fexit, need it"),
    "PAGE_POOL_STATS": (Severity.INFORMS, "counters of receive buffers"),
    "NET_RX_BUSY_POLL": (Severity.INFORMS, "busy polling"),
    "PREEMPT_RT": (Severity.CHANGES, "NAPI runs in threads that can be preempted"),
}


def of_kernel(running: KernelFacts, target: KernelFacts) -> Iterator[Change]:
    """Its options. Without both configurations nothing is said; :attr:`KernelFacts.notes` tell why."""
    if running.options is None or target.options is None:
        return
    for option, (severity, why) in _OPTIONS.items():
        before, after = running.options.get(option, "n"), target.options.get(option, "n")
        if before != after:
            grave = severity if after == "n" or option == "PREEMPT_RT" else Severity.INFORMS
            yield Change("node", Aspect.KERNEL, f"CONFIG_{option}", grave, before, after, why)


def of_driver(nic: Nic, now: DriverFacts, then: DriverFacts) -> Iterator[Change]:
    """Is there a driver, does it take the device, is it another one, and what of XDP it can do."""
    name, first = then.first.name, then.first
    if first.presence is Presence.ABSENT:
        if now.presence is not Presence.ABSENT:
            why = f"the kernel has no module {name}: this NIC will not be there"
            yield Change(nic.name, Aspect.DRIVER, name, Severity.BREAKS, str(now.presence), str(first.presence), why)
        return
    if then.claims is False and now.claims is not False:
        why = f"{name} does not take the device {then.modalias} any more: this NIC will not be there"
        yield Change(nic.name, Aspect.DRIVER, name, Severity.BREAKS, "takes the device", "does not", why)
    yield from _origin(nic, now.first, first)
    for ability, told in (("native", "native XDP"), ("zero_copy", "AF_XDP zero copy"), ("hints", "XDP metadata")):
        before, after = now.able(ability), then.able(ability)
        if before != after and None not in (before, after):
            # Whether native XDP matters is for the plan to say; the others no pipeline of ours asks for.
            why = f"by what {name} calls" if ability != "hints" else f"by the tables in {name}"
            yield Change(nic.name, Aspect.XDP, told, Severity.INFORMS, _yes(before), _yes(after), why)


def _origin(nic: Nic, now: ModuleFacts, then: ModuleFacts) -> Iterator[Change]:
    if now.presence is Presence.ABSENT:
        return
    if now.presence is not then.presence:
        why = "parameters of a built-in driver are given on the kernel's command line alone"
        before, after = str(now.presence), str(then.presence)
        yield Change(nic.name, Aspect.DRIVER, then.name, Severity.CHANGES, before, after, why)
    if now.in_tree is not then.in_tree:
        why = "the profile's facts are those of the kernel's own driver; the maker's differs in names and costs"
        before, after = (_origin_of(each) for each in (now, then))
        yield Change(nic.name, Aspect.DRIVER, then.name, Severity.CHANGES, before, after, why)
    elif now.version != then.version:
        yield Change(nic.name, Aspect.DRIVER, f"{then.name} version", Severity.INFORMS, now.version, then.version)


def _origin_of(module: ModuleFacts) -> str:
    return f"{'of the kernel' if module.in_tree else 'of the maker'} {module.version}".strip()


def of_firmware(nic: Nic, now: DriverFacts, then: DriverFacts, present: Collection[str]) -> Iterator[Change]:
    """Files that the driver may ask for from then on, and that are not here; it depends on the card which it needs."""
    before = {file for module in now.modules for file in module.firmware}
    asked = [file for module in then.modules for file in module.firmware]
    missing = [file for file in dict.fromkeys(asked) if file not in before and file not in present]
    if missing:
        told = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        why = f"{then.first.name} can ask for these from then on, and /lib/firmware has none of them"
        yield Change(nic.name, Aspect.FIRMWARE, then.first.name, Severity.INFORMS, None, told, why)


def of_flags(nic: Nic, now: DriverFacts, then: DriverFacts, used: Collection[str]) -> Iterator[Change]:
    """``used`` are the flags that the intent or the profile sets."""
    if then.presence is Presence.ABSENT:
        return
    for flag, value in nic.private_flags.items():
        if flag_stays(flag, then) is False:
            grave = Severity.CHANGES if flag in used or value else Severity.INFORMS
            why = f"{then.first.name} has no such flag any more" + (", and it is set" if value else "")
            yield Change(nic.name, Aspect.PRIVATE_FLAG, flag, grave, _on(value), None, why)
    # A table can lie in the code (an array of one is folded), so the running module's names are asked too.
    for flag in then.private_flags or ():
        if flag not in nic.private_flags and flag_stays(flag, now) is False:
            why = "new; whether this card has it, the driver tells"
            yield Change(nic.name, Aspect.PRIVATE_FLAG, flag, Severity.INFORMS, None, "there", why)


def of_parameters(options: Sequence[ModuleOption], running: KernelFacts, target: KernelFacts) -> Iterator[Change]:
    """Parameters that this machine gives to the modules of its NICs, and that only one of the kernels has."""
    before, after = _parameters(running), _parameters(target)
    for option in options:
        if option.module not in before or option.module not in after:
            continue
        had, has = (option.parameter in each[option.module] for each in (before, after))
        if had != has:
            key, origin = f"{option.module}.{option.parameter}", f"{option.value} ({option.origin})"
            why = "the kernel ignores a parameter that a module does not have, and logs it" if had else "works then"
            grave = Severity.CHANGES
            yield Change("node", Aspect.PARAMETER, key, grave, origin if had else None, origin if has else None, why)


def _parameters(kernel: KernelFacts) -> Mapping[str, Collection[str]]:
    modules = (module for driver in kernel.drivers.values() for module in driver.modules)
    return {module.name: module.parameters for module in modules if module.presence is not Presence.ABSENT}


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _on(value: object) -> str:
    return "on" if value else "off"
