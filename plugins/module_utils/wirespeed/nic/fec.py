# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward error correction. Both ends of a link must use the same.

``encoding`` is ``auto``, or words of ``off rs baser llrs``: those that the NIC may choose from.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import OutOfRange
from ..kernel import ethtool_fec
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values

_KEY = "encoding"
_AUTO = "auto"
_MODES = {"off": "None", "rs": "RS", "baser": "BASER", "llrs": "LLRS"}


def read(port: Port) -> SettingFacts:
    """With ``auto`` drivers differ in which modes they name beside it, so it stands alone."""
    found = ethtool_fec.fec(port)
    words = [word for word, mode in _MODES.items() if mode in found.modes]
    return SettingFacts({_KEY: _AUTO if found.auto else " ".join(words)})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: _encoding(key, value) for key, value in want.items()}


def _encoding(key: str, value: Value) -> str:
    if key != _KEY:
        raise OutOfRange(key, value, f"only {_KEY!r}; this NIC has no {key!r}")
    words = str(value).lower().split()
    if words == [_AUTO]:
        return _AUTO
    if not words or any(word not in _MODES for word in words):
        raise OutOfRange(key, value, f"{_AUTO}, or one or more of {', '.join(_MODES)}")
    return " ".join(word for word in _MODES if word in words)


def write(port: Port, values: Values) -> None:
    words = str(values[_KEY]).split()
    ethtool_fec.set_fec(port, words == [_AUTO], [_MODES[word] for word in words if word in _MODES])
