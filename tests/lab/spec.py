# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node of the fleet is asked for:  NAME=KERNEL:NIC[,NIC...]   with NIC = MODEL[:OPTION=VALUE...]

    a=6.1:igb                            kernel 6.1, one igb
    b=6.12:virtio:queues=4:rss=on,e1000e kernel 6.12, a multi-queue virtio_net with RSS and an e1000e
    c=newest:vmxnet3:mac=02-00-00-00-00-07

MODEL is igb, virtio (or virtio_net), vmxnet3 or e1000e. `queues=N` (virtio) puts the NIC on a multi-queue tap in a
network namespace; any other option goes to QEMU's -device as it is (rss=on, ctrl_guest_offloads=off, ...).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Tuple

from .errors import LabError

# model -> (QEMU device, kernel driver)
MODELS: Dict[str, Tuple[str, str]] = {
    "igb": ("igb", "igb"),
    "virtio": ("virtio-net-pci", "virtio_net"),
    "vmxnet3": ("vmxnet3", "vmxnet3"),
    "e1000e": ("e1000e", "e1000e"),
}
_ALIASES = {"virtio_net": "virtio", "virtio-net": "virtio"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_OPTION = re.compile(r"([A-Za-z0-9_-]+)=([A-Za-z0-9_.-]+)")
_MAX_QUEUES = 16


@dataclass(frozen=True)
class NicSpec:
    """One NIC: a model of MODELS, its queue pairs (0: one, without a tap) and further QEMU device options."""

    model: str
    queues: int = 0
    mac: str = ""
    options: Tuple[Tuple[str, str], ...] = ()

    @property
    def device(self) -> str:
        return MODELS[self.model][0]

    @property
    def driver(self) -> str:
        return MODELS[self.model][1]

    def __str__(self) -> str:
        mac = self.mac.replace(":", "-")
        words = [f"queues={self.queues}" if self.queues else "", f"mac={mac}" if mac else ""]
        words += [f"{name}={value}" for name, value in self.options]
        return ":".join([self.model, *filter(None, words)])


@dataclass(frozen=True)
class NodeSpec:
    name: str
    kernel: str
    nics: Tuple[NicSpec, ...]


def parse_nic(text: str) -> NicSpec:
    """`virtio:queues=4:rss=on`. Raises LabError that names what is wrong."""
    model, *words = text.split(":")
    model = _ALIASES.get(model, model)
    if model not in MODELS:
        raise LabError(f"`{model}` in the NIC `{text}` is no NIC model of the lab; there are {', '.join(MODELS)}.")
    options: Dict[str, str] = {}
    for word in words:
        found = _OPTION.fullmatch(word)
        if not found:
            raise LabError(f"`{word}` in the NIC `{text}` is not OPTION=VALUE, such as queues=4.")
        options[found.group(1)] = found.group(2)
    queues = options.pop("queues", "0")
    if not queues.isdigit() or int(queues) > _MAX_QUEUES:
        raise LabError(f"queues={queues} in the NIC `{text}` is not a number from 1 to {_MAX_QUEUES}.")
    if int(queues) and model != "virtio":
        raise LabError(f"queues= in the NIC `{text}` is for virtio only; {model} has the queues that its hardware has.")
    mac = options.pop("mac", "").replace("-", ":")
    return NicSpec(model, int(queues), mac, tuple(sorted(options.items())))


def parse_node(text: str) -> NodeSpec:
    """`a=6.1:igb,virtio:queues=4`. Raises LabError that names what is wrong."""
    name, equals, rest = text.partition("=")
    kernel, colon, nics = rest.partition(":")
    if not (equals and colon and kernel and nics):
        raise LabError(f"`{text}` is not NAME=KERNEL:NIC[,NIC...], such as a=6.1:igb,virtio:queues=4:rss=on.")
    check_name(name)
    return NodeSpec(name, kernel, tuple(parse_nic(nic) for nic in nics.split(",")))


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise LabError(f"`{name}` is no name for a node: a letter, then up to 30 of a-z, 0-9 and -.")
