# SPDX-License-Identifier: GPL-3.0-or-later
"""Other managers' words as our settings, keys and values: pure.

Most of them speak as the ``ethtool`` command does, so its words are the common tongue here. What is no
value of a setting gives None: a claim whose value is not known is still a claim.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ..model.claim import Claim
from ..model.feature_names import ALIASES
from ..model.nic import Nic
from ..model.settings import Setting, SettingFacts, Value

MAX = "max"
"""As a value of ``rings`` and ``channels``: the most that the NIC says it can."""

_WHEN = ("", "-irq", "-low", "-high")
_ON, _OFF = ("on", "yes", "true", "y", "t", "1"), ("off", "no", "false", "n", "f", "0")

LONGEST = 4096
"""Characters of one value; what is longer is none of ours."""

_SWITCHES: Mapping[Setting, Tuple[str, ...]] = {
    Setting.COALESCE: ("adaptive-rx", "adaptive-tx", "cqe-mode-rx", "cqe-mode-tx"),
    Setting.RINGS: ("tx-push", "rx-push", "tcp-data-split"),
    Setting.PAUSE: ("autoneg", "rx", "tx"),
    Setting.EEE: ("enabled", "tx-lpi"),
}

_KEYS: Mapping[Setting, Tuple[str, ...]] = {
    Setting.CHANNELS: ("rx", "tx", "other", "combined"),
    Setting.RINGS: (
        *("rx", "rx-mini", "rx-jumbo", "tx", "rx-buf-len", "cqe-size", "tx-push-buf-len", "hds-thresh"),
        *_SWITCHES[Setting.RINGS],
    ),
    Setting.COALESCE: (
        *_SWITCHES[Setting.COALESCE],
        *(f"{way}-{what}{when}" for way in ("rx", "tx") for what in ("usecs", "frames") for when in _WHEN),
        *("stats-block-usecs", "pkt-rate-low", "pkt-rate-high", "sample-interval"),
        *("tx-aggr-max-bytes", "tx-aggr-max-frames", "tx-aggr-time-usecs"),
    ),
    Setting.PAUSE: _SWITCHES[Setting.PAUSE],
    Setting.EEE: (*_SWITCHES[Setting.EEE], "tx-timer"),
}


def switch(text: str) -> Optional[bool]:
    word = text.strip().lower()
    return True if word in _ON else False if word in _OFF else None


def number(text: str, base: int = 1024) -> Optional[int]:
    """``9000``, ``0x20``, ``4K``; None for anything else."""
    found = re.fullmatch(r"(0[xX][0-9a-fA-F]{1,8}|\d{1,12})([KMG]?)", text.strip(), re.ASCII)
    if not found:
        return None
    digits = found[1]
    factor: int = base ** " KMG".index(found[2] or " ")
    return int(digits, 16 if digits[:2].lower() == "0x" else 10) * factor


def value_of(setting: Setting, key: str, text: str) -> Optional[Value]:
    """A value as ``ethtool`` would take it, and ``max`` for those that have a maximum."""
    if setting in (Setting.FEATURES, Setting.PRIVATE_FLAGS) or key in _SWITCHES.get(setting, ()):
        return switch(text)
    if setting is Setting.FEC:
        return fec_of(text)
    if setting is Setting.RSS_FIELDS:
        return text
    if text == MAX and setting in (Setting.RINGS, Setting.CHANNELS):
        return MAX
    return number(text)


def fec_of(text: str) -> Optional[str]:
    """As the room ``fec`` reads it: ``auto`` alone, or the modes in its order."""
    words = text.lower().split()
    if not words or any(word not in ("auto", "off", "rs", "baser", "llrs") for word in words):
        return None
    return "auto" if words == ["auto"] else " ".join(word for word in ("off", "rs", "baser", "llrs") if word in words)


def known(setting: Setting, key: str) -> bool:
    """Whether ``key`` can be one of ``setting``; features and flags have whatever names the driver gives them."""
    return key in _KEYS[setting] if setting in _KEYS else bool(key)


def pairs(setting: Setting, words: List[str]) -> Dict[str, Optional[Value]]:
    """``["rx", "1024", "tx", "512"]`` as ``ethtool -G`` takes them. A word without its value is left out."""
    found = dict(zip(words[::2], words[1::2]))
    return {key: value_of(setting, key, text) for key, text in found.items() if known(setting, key)}


def fitted(claims: Iterable[Claim], nic: Nic) -> List[Claim]:
    """The claims as they come out on this NIC: features by the kernel's names, ``max`` as a number."""
    return [each for claim in claims for each in _fitted(claim, nic.settings.get(claim.setting))]


def _fitted(claim: Claim, facts: Optional[SettingFacts]) -> List[Claim]:
    if claim.setting is Setting.FEATURES:
        return [replace(claim, key=name) for name in _features(claim.key, facts)]
    if claim.value == MAX:
        return [replace(claim, value=facts.maxima.get(claim.key) if facts else None)]
    return [claim]


def _features(name: str, facts: Optional[SettingFacts]) -> Tuple[str, ...]:
    """A name of the kernel's own, or those that a name of ``ethtool`` stands for and that can be changed here."""
    if facts is None or name in facts.values:
        return (name,)
    names = ALIASES.get(name, (name,))
    return tuple(each for each in names if each in facts.values and each not in facts.fixed) or names[:1]
