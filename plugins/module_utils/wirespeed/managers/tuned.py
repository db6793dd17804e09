# SPDX-License-Identifier: GPL-3.0-or-later
"""tuned: the active profile's ``net`` plugin, and its plugins that move interrupts.

Profiles, their order and merging: tuned 2.26, tuned/profiles (loader, locator, merger, unit); options:
tuned/plugins/plugin_net.py, plugin_scheduler.py, plugin_irq.py. It sets them at its start and again
whenever an interface appears, and puts the old values back when it ends.
"""

from __future__ import annotations

import fnmatch
import os
import re
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ..model.claim import Claim
from ..model.nic import Nic
from ..model.settings import Setting, Value
from . import ini, words
from .manager import Subject
from .tree import Tree

NAME = "tuned"
_ACTIVE = "/etc/tuned/active_profile"
_AFTERWARDS = "/etc/tuned/post_loaded_profile"
_MAIN = "/etc/tuned/tuned-main.conf"
_FOLDERS = ("/usr/lib/tuned", "/usr/lib/tuned/profiles", "/etc/tuned", "/etc/tuned/profiles")
"""The later, the stronger. tuned moved its profiles into folders of their own with 2.23."""

_MAX_PROFILES = 32
_MAX_VARIABLES = 8  # deep
_PROFILE_NAME = re.compile(r"-?[a-zA-Z0-9_.-]+")
_GROUPS = {
    "ring": Setting.RINGS,
    "coalesce": Setting.COALESCE,
    "channels": Setting.CHANNELS,
    "features": Setting.FEATURES,
    "pause": Setting.PAUSE,
}
_NUMBERS = {"mtu": Setting.MTU, "txqueuelen": Setting.TXQUEUELEN}


class Option(NamedTuple):
    value: str
    file: str
    line: int


class Unit(Dict[str, Option]):
    """The options of one section, merged over the profiles that the active one includes."""


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    """None for virtual interfaces: the plugin leaves them alone."""
    chosen = (tree.text(_ACTIVE) or "").split() + (tree.text(_AFTERWARDS) or "").split()
    if not chosen or subject.nic.kind == "virtual":
        return
    active = tree.service_runs("tuned") or tree.process_runs("/run/tuned/tuned.pid")
    units = merged(files(tree, chosen))
    variables = _variables(tree, units.pop("variables", Unit()))
    sections = [name for name in units if _enabled(tree, units[name])]
    sections.sort(key=lambda name: _priority(units[name]))
    for name in sections:
        if _plain(units[name], "type", name) == "net" and _meant(units[name], variables, subject):
            yield from _net(name, units[name], variables, subject.nic, active)
            break  # a device belongs to the first of the plugin's instances that wants it
    for name in sections:
        yield from _interrupts(name, units[name], variables, active)


def files(tree: Tree, chosen: Sequence[str]) -> "List[tuple[str, str]]":
    """Path and text of each profile, in the order in which they are laid over one another: included ones first."""
    folders = _folders(tree)
    found: "Dict[str, str]" = {}
    seen: List[str] = []

    def add(names: Sequence[str]) -> None:
        for name in names:
            if not _PROFILE_NAME.fullmatch(name) or len(seen) >= _MAX_PROFILES:
                continue
            path = _locate(tree, folders, name.lstrip("-"), seen)
            text = tree.text(path) if path else None
            if not path or text is None:
                continue
            seen.append(path)
            for entry in ini.tuned(text):
                if (entry.section, entry.key) == ("main", "include"):
                    if "${" in entry.value:
                        tree.note(f"{path}:{entry.line}", f"includes {entry.value}, a profile that only tuned can tell")
                    add(re.split(r"\s*[,;]\s*", entry.value))
            found[path] = text

    add(chosen)
    return list(found.items())


def _folders(tree: Tree) -> Sequence[str]:
    for entry in ini.systemd(tree.text(_MAIN) or ""):
        if entry.key == "profile_dirs" and entry.value:
            return [folder.rstrip("/") for folder in re.split(r"\s*[,;]\s*", entry.value) if folder.startswith("/")]
    return _FOLDERS


def _locate(tree: Tree, folders: Sequence[str], name: str, seen: Sequence[str]) -> Optional[str]:
    """The strongest of that name that is not in use yet: ``include=balanced`` in one's own ``balanced``."""
    paths = [f"{folder}/{os.path.basename(name)}/tuned.conf" for folder in reversed(folders)]
    return next((path for path in paths if path not in seen and tree.text(path) is not None), None)


def merged(profiles: "Iterable[tuple[str, str]]") -> Dict[str, Unit]:
    """The options by section. A section of the same name adds to the one before it, unless it says ``replace``."""
    units: Dict[str, Unit] = {}
    for path, text in profiles:
        fresh: Dict[str, Unit] = {}
        for entry in ini.tuned(text):
            value = entry.value.replace("${i:PROFILE_DIR}", os.path.dirname(path))
            fresh.setdefault(entry.section, Unit())[entry.key] = Option(value, path, entry.line)
        for name, unit in fresh.items():
            under = Unit() if words.switch(_plain(unit, "replace", "0")) else units.get(name, Unit())
            dropped = re.split(r"\s*[,;]\s*", _plain(unit, "drop", ""))
            kept = {key: option for key, option in under.items() if key not in (*dropped, "devices", "enabled", "type")}
            units[name] = Unit({**kept, **unit})
    return units


def _variables(tree: Tree, unit: Unit) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for key, option in unit.items():
        if key == "include":
            included = ini.systemd(tree.text(option.value) or "")
            found.update({entry.key: entry.value for entry in included})
        elif option.value != f"${{{key}}}":  # "x = ${x}": as an included file said
            found[key] = option.value
    return found


def expanded(text: str, variables: Mapping[str, str]) -> Optional[str]:
    """None where a function (``${f:...}``) or an unknown variable is left: only tuned can tell."""
    for dummy in range(_MAX_VARIABLES):
        if "${" not in text:
            return text
        text = re.sub(r"\$\{(\w+)\}", lambda found: variables.get(found[1], "${?}"), text)[: words.LONGEST]
    return None


def _plain(unit: Unit, key: str, default: str) -> str:
    return unit[key].value if key in unit else default


def _priority(unit: Unit) -> int:
    text = _plain(unit, "priority", "0")
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else 0


def _enabled(tree: Tree, unit: Unit) -> bool:
    if words.switch(_plain(unit, "enabled", "1")) is False:
        return False
    wanted = _plain(unit, "uname_regex", "")
    if wanted and not _found(wanted, " ".join(os.uname())):
        return False
    wanted = _plain(unit, "cpuinfo_regex", "")
    return not wanted or _found(wanted, tree.text("/proc/cpuinfo") or "")


def _meant(unit: Unit, variables: Mapping[str, str], subject: Subject) -> bool:
    regex = _plain(unit, "devices_udev_regex", "")
    if regex:
        told = "".join(f"{key}={value}\n" for key, value in sorted(subject.properties.items()))
        return _found(regex, told)
    return named(expanded(_plain(unit, "devices", "*"), variables) or "*", subject.nic.name)


def named(rules: str, name: str) -> bool:
    """``eth* !eth0``: some positive pattern, or none at all given, and no negative one."""
    patterns = [rule for rule in re.split(r"\s|,\s*", rules) if rule]
    wanted = [rule for rule in patterns if not rule.startswith("!")] or ["*"]
    return any(fnmatch.fnmatchcase(name, rule) for rule in wanted) and not any(
        fnmatch.fnmatchcase(name, rule[1:]) for rule in patterns if rule.startswith("!")
    )


def _found(regex: str, text: str) -> bool:
    """A pattern that is none counts as one that holds: better a warning too many."""
    try:
        return re.search(regex, text, re.MULTILINE) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def _net(section: str, unit: Unit, variables: Mapping[str, str], nic: Nic, active: bool) -> Iterator[Claim]:
    for name, option in unit.items():
        told = expanded(option.value, variables)
        if name in _GROUPS:
            values = net_values(name, told if told is not None else option.value, nic)
        elif name in _NUMBERS:
            values = {name: words.number(told) if told else None}
        else:
            continue
        setting = _GROUPS.get(name) or _NUMBERS[name]
        for key, value in values.items():
            yield Claim(NAME, option.file, option.line, f"[{section}] {name}", setting, key, value, active)


def net_values(option: str, text: str, nic: Nic) -> Dict[str, Optional[Value]]:
    """``rx 1024 tx 512``, with any of ``: ; ,`` between the words; a function is one word with no value."""
    text = re.sub(r"\$\{.*\}", "?", text)
    values = words.pairs(_GROUPS[option], re.split(r"[:;,\s]+", text.strip()))
    return _channels(values, nic) if option == "channels" else values


def _channels(values: Dict[str, Optional[Value]], nic: Nic) -> Dict[str, Optional[Value]]:
    """tuned asks for ``rx`` and ``tx`` on a NIC that has no ``combined`` channels, and the other way round."""
    facts = nic.settings.get(Setting.CHANNELS)
    if not values or facts is None or facts.values.get(next(iter(values))):
        return values
    if "combined" in values:
        return {"rx": values["combined"], "tx": values["combined"]}
    counts = [value for value in values.values() if isinstance(value, int)]
    return {"combined": max(counts) if counts else None}


def _interrupts(section: str, unit: Unit, variables: Mapping[str, str], active: bool) -> Iterator[Claim]:
    """``scheduler`` moves all interrupts away from isolated CPUs, ``irq`` those of the numbers that it names."""
    kind = _plain(unit, "type", section)
    name = {"scheduler": "isolated_cores", "irq": "affinity"}.get(kind)
    option = unit.get(name or "")
    if option is None or expanded(option.value, variables) == "":
        return
    if kind == "scheduler" and words.switch(_plain(unit, "irq_process", "1")) is False:
        return
    place = f"[{section}] {name}"
    yield Claim(NAME, option.file, option.line, place, Setting.IRQ_AFFINITY, "cpus", None, active)
