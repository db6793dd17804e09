# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name of a driver's own that a profile that ships uses: raw counters, private flags, devlink parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Tuple

import yaml

from wirespeed.counters.table import KernelRange, parse
from wirespeed.errors import Place
from wirespeed.profiles.match import as_list, in_range

_DRIVERS_OWN = ("private_flags", "devlink_permanent", "devlink_driverinit", "devlink_runtime")
# nic.private_flags['legacy-rx'], planned.max.devlink_runtime.name
_IN_EXPRESSION = re.compile(rf"\b({'|'.join(_DRIVERS_OWN)})(?:\[\s*['\"]([^'\"]+)['\"]\s*\]|\.([A-Za-z_]\w*))")
_EVERY = KernelRange()


@dataclass(frozen=True)
class Name:
    """``source`` says where it is looked for; ``where`` is the profile's path to it.

    ``guarded`` is a name whose expression asks for the kernel or has a default: some kernel must have it, not each.
    """

    driver: str
    source: str
    text: str
    where: str
    kernels: Tuple[KernelRange, str] = (_EVERY, "")
    guarded: bool = False

    def meant_for(self, version: Tuple[int, int]) -> bool:
        of_counter, of_profile = self.kernels
        return of_counter.holds(version) and (not of_profile or in_range(version, of_profile))


def in_profiles(directory: Path) -> List[Name]:
    """Of all profiles, each with every driver that the profile is for; ``generic``'s are of the driver ``*``."""
    found: List[Name] = []
    for path in sorted(directory.glob("*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        match = data["match"] if isinstance(data["match"], Mapping) else {}
        names = [*_counters(path.name, data), *_settings(path.name, data)]
        for driver in as_list(match.get("driver", "*")):
            for name in names:
                kernels = (name.kernels[0], match.get("kernel", ""))
                found.append(Name(driver, name.source, name.text, name.where, kernels, name.guarded))
    return found


def _counters(file: str, data: Mapping[str, Any]) -> Iterator[Name]:
    """Those of the profile's own block: what it does not mention is generic's."""
    table = parse(data.get("counters", {}), Place(file))
    for counter in data.get("counters", {}):
        entry = next(entry for word, entry in table.entries.items() if word.value == counter)
        for way in entry.alternatives:
            for raw in (*way.plus, *way.minus):
                yield Name("", raw.source.value, raw.name, f"{file}: counters.{counter}", (way.kernel, ""))


def _settings(file: str, data: Mapping[str, Any]) -> Iterator[Name]:
    for section, values in data.items():
        if section != "counters":
            yield from _walk(values, f"{file}: {section}", section == "operations")


def _walk(value: Any, where: str, operations: bool) -> Iterator[Name]:
    """A key under a setting of the driver's own names is a name; so is what an expression reads from one."""
    if isinstance(value, str):
        for setting, quoted, dotted in _IN_EXPRESSION.findall(value):
            yield Name("", setting, quoted or dotted, where, guarded=_is_guarded(value))
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, where, operations)
    elif isinstance(value, dict):
        own = where.rpartition(".")[2] in _DRIVERS_OWN and not operations
        for key, inner in value.items():
            if own:
                yield Name("", where.rpartition(".")[2], str(key), f"{where}.{key}", guarded=_is_guarded(str(inner)))
            yield from _walk(inner, f"{where}.{key}", operations)


def _is_guarded(text: str) -> bool:
    return "{{" in text and ("node.kernel" in text or "default(" in text)
