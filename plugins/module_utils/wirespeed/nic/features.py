# SPDX-License-Identifier: GPL-3.0-or-later
"""Offload features, by the kernel's names or those that the ethtool command prints."""

from __future__ import annotations

import difflib
from typing import Dict, Mapping, Tuple

from ..errors import OutOfRange, ReadBackMismatch
from ..kernel import ethtool_netlink
from ..kernel.ethtool_netlink import Features
from ..kernel.port import Port
from ..model.feature_names import ALIASES
from ..model.settings import Setting, SettingFacts, Value, Values


def read(port: Port) -> SettingFacts:
    """``values`` is what is active; ``requested`` what was asked for where it differs."""
    return facts_of(ethtool_netlink.features(port))


def facts_of(features: Features) -> SettingFacts:
    """A request bit of a feature that cannot be changed means nothing (net/ethtool/features.c)."""
    changeable = features.hardware - features.nochange
    return SettingFacts(
        values={name: name in features.active for name in features.names},
        fixed=frozenset(features.names) - changeable,
        requested={name: name in features.wanted for name in sorted((features.wanted ^ features.active) & changeable)},
    )


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """Kernel names for all names. A group stands for those of its features that can be changed."""
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if not isinstance(value, bool):
            raise OutOfRange(key, value, "true or false")
        for name in _names(facts, key, value):
            settled[name] = value
    return settled


def _names(facts: SettingFacts, key: str, value: bool) -> Tuple[str, ...]:
    if key in facts.values:
        return (key,)
    names = tuple(name for name in ALIASES.get(key, ()) if name in facts.values)
    if not names:
        near = difflib.get_close_matches(key, [*facts.values, *ALIASES], n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise OutOfRange(key, value, f"{hint}a feature of this kernel, see `ethtool -k`")
    return tuple(name for name in names if name not in facts.fixed) or names


def write(port: Port, values: Values) -> None:
    """The kernel says yes even where it keeps a feature as it was: that is an error here."""
    ethtool_netlink.set_features(port, {name: bool(value) for name, value in values.items()})
    facts = read(port)
    kept = [
        f"{name} {'on' if facts.values.get(name) else 'off'}{' (fixed)' if name in facts.fixed else ''}"
        for name, value in values.items()
        if facts.values.get(name) != value
    ]
    if kept:
        raise ReadBackMismatch(
            f"ethtool FEATURES_SET {port.name}: the kernel kept {', '.join(kept)}, without a reason.",
            "The driver, the XDP program on it or another feature stands against it; see the kernel log.",
        )
