# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager: the connection profile that it has activated on a NIC, and the defaults of its own configuration.

Which profile that is stands in its state (``/run/NetworkManager/devices/IFINDEX``, NetworkManager 1.6 on); a
profile that names the NIC but is not the active one gives claims that are not active. It sets the values
whenever the profile is activated: at boot, when the carrier returns, at ``nmcli connection up``.
nm-settings-keyfile(5), NetworkManager.conf(5); property names: libnm-base/nm-ethtool-base.c (1.58).
"""

from __future__ import annotations

import fnmatch
import re
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..model.claim import Claim
from ..model.nic import Nic
from ..model.settings import Setting, Value
from . import ini, netplan, words
from .ini import Entry
from .manager import Subject
from .tree import Tree

NAME = "NetworkManager"
_RUNNING = "/run/NetworkManager/devices"
_PROFILES = tuple(f"{folder}/NetworkManager/system-connections" for folder in ("/etc", "/run", "/usr/lib"))
_CONFIGURATION = tuple(f"{folder}/NetworkManager/conf.d" for folder in ("/etc", "/run", "/usr/lib"))
_ETHERNET = ("ethernet", "802-3-ethernet")

_PREFIXES: Mapping[str, Setting] = {
    "feature": Setting.FEATURES,
    "coalesce": Setting.COALESCE,
    "ring": Setting.RINGS,
    "pause": Setting.PAUSE,
    "channels": Setting.CHANNELS,
    "eee": Setting.EEE,
}
_FEC_BITS = ((2, "auto"), (4, "off"), (8, "rs"), (16, "baser"), (32, "llrs"))

Found = Tuple[Setting, str, Optional[Value]]


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    """None where it never ran since the boot, or leaves this NIC alone."""
    if not tree.names(_RUNNING):
        return
    nic = subject.nic
    state = {entry.key: entry.value for entry in ini.key_file(tree.text(f"{_RUNNING}/{nic.ifindex}") or "")}
    if not words.switch(state.get("managed", "true")):
        return
    runs = tree.service_runs(NAME) or not tree.exists("/run/systemd/system")
    told: "List[tuple[Setting, str]]" = []
    for path in tree.layered(_PROFILES, ""):
        entries = ini.key_file(tree.text(path) or "")
        active = bool(state.get("connection-uuid")) and _only(entries, "connection", "uuid") == state["connection-uuid"]
        if not active and not _names(entries, nic):
            continue
        made_by = netplan.origin(tree, path)
        for entry in entries:
            for setting, key, value in meaning(entry):
                if active:
                    told.append((setting, key))
                yield Claim(
                    NAME, path, entry.line, entry.option, setting, key, value, active=active and runs, made_by=made_by
                )
    yield from (claim for claim in _defaults(tree, nic, runs) if (claim.setting, claim.key) not in told)


def meaning(entry: Entry) -> Iterator[Found]:
    """What one line of a profile sets."""
    if entry.section in _ETHERNET and entry.key == "mtu":
        yield from _mtu(entry.value)
    elif entry.section == "sriov" and entry.key == "total-vfs":
        yield Setting.SRIOV, "vfs", words.number(entry.value)
    elif entry.section == "ethtool" and entry.key == "fec-mode":
        yield Setting.FEC, "encoding", fec_mode(entry.value)
    elif entry.section == "ethtool":
        prefix, dash, name = entry.key.partition("-")
        setting = _PREFIXES.get(prefix)
        if setting and dash and words.known(setting, name):
            yield setting, name, words.value_of(setting, name, entry.value)


def fec_mode(text: str) -> Optional[str]:
    """The bits of ``ETHTOOL_FEC_*`` (include/uapi/linux/ethtool.h), or the words."""
    bits = words.number(text)
    if bits is None:
        return words.fec_of(re.sub(r"[,;]", " ", text))
    return words.fec_of(" ".join(word for bit, word in _FEC_BITS if bits & bit))


def _mtu(text: str) -> Iterator[Found]:
    """``0`` and ``auto`` leave it alone."""
    if words.number(text) != 0 and text != "auto":
        yield Setting.MTU, "mtu", words.number(text)


def _only(entries: Sequence[Entry], section: str, key: str) -> str:
    return next((entry.value for entry in entries if (entry.section, entry.key) == (section, key)), "")


def _names(entries: Sequence[Entry], nic: Nic) -> bool:
    """Whether a profile is for this NIC by name or address, and may come up by itself."""
    if _only(entries, "connection", "autoconnect") == "false":
        return False
    addresses = [_only(entries, section, "mac-address").lower() for section in _ETHERNET]
    return _only(entries, "connection", "interface-name") == nic.name or nic.mac.lower() in addresses


def _defaults(tree: Tree, nic: Nic, runs: bool) -> Iterator[Claim]:
    """``ethernet.mtu`` of ``[connection*]`` and ``sriov-num-vfs`` of ``[device*]``, the strongest of each."""
    told = set()
    for path in _strongest_first(tree):
        entries = ini.key_file(tree.text(path) or "")
        for entry in sorted(entries, key=lambda entry: entry.section in ("connection", "device")):
            found = _default(entry)
            spec = _only(entries, entry.section, "match-device")
            if not found or found[0] in told or (spec and not matched(spec, nic)):
                continue
            told.add(found[0])
            yield Claim(NAME, path, entry.line, entry.option, *found, active=runs)


def _strongest_first(tree: Tree) -> List[str]:
    return [*reversed(tree.layered(_CONFIGURATION, ".conf")), "/etc/NetworkManager/NetworkManager.conf"]


def _default(entry: Entry) -> Optional[Found]:
    if entry.section.startswith("connection") and entry.key == "ethernet.mtu":
        return next(_mtu(entry.value), None)
    if entry.section.startswith("device") and entry.key == "sriov-num-vfs":
        return Setting.SRIOV, "vfs", words.number(entry.value)
    return None


def matched(spec: str, nic: Nic) -> bool:
    """NetworkManager.conf(5), Device List Format. Negative specs win; none but negative ones match all others."""
    parts = [part.strip() for part in re.split(r"[,;]", spec) if part.strip()]
    wanted = [part for part in parts if not part.startswith("except:")]
    denied = [part[len("except:") :] for part in parts if part.startswith("except:")]
    return not any(_is(part, nic) for part in denied) and (not wanted or any(_is(part, nic) for part in wanted))


def _is(part: str, nic: Nic) -> bool:
    kind, colon, value = part.partition(":")
    if colon and kind == "interface-name":
        return nic.name == value[1:] if value[:1] == "=" else fnmatch.fnmatchcase(nic.name, value.lstrip("~"))
    if colon and kind == "mac":
        return value.lower() == nic.mac.lower()
    if colon and kind == "driver":
        return value.partition("/")[0] == nic.driver
    if colon and kind == "type":
        return value == "ethernet"
    return part in ("*", nic.name) or part.lower() == nic.mac.lower()
