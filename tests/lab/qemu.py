# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line for a node, and the far ends of its NICs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from . import host, netns
from .image import MANAGEMENT_MAC, Image
from .spec import NicSpec

SNAPSHOT = "ready"


@dataclass(frozen=True)
class Nic:
    """A NIC under test: what the guest calls it, and where its far end is on this host.

    `tap` in the network namespace `namespace`, or, with both empty, two unix datagram sockets: a datagram sent to
    `guest` is a frame received by the NIC, a frame that it transmits is a datagram for `host`.
    """

    index: int
    spec: str
    driver: str
    interface: str
    mac: str
    namespace: str
    tap: str
    guest: str
    host: str

    def to_json(self) -> Dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Machine:
    """Size of the virtual computer. Guests of more than two processors under TCG hang in one boot of eight."""

    processors: int = 2
    memory_mib: int = 512


def nics(specs: Sequence[NicSpec], sockets: Path, namespace: str) -> List[Nic]:
    """Each NIC sits behind its own PCIe root port, so bus i+1, slot 0: enp1s0, enp2s0, ..."""
    found = []
    for index, spec in enumerate(specs):
        tap = f"tap{index}" if spec.queues else ""
        mac = spec.mac or f"52:54:00:aa:00:{0x10 + index:02x}"
        found.append(
            Nic(
                index,
                str(spec),
                spec.driver,
                f"enp{index + 1}s0",
                mac,
                namespace if tap else "",
                tap,
                "" if tap else str(sockets / f"nic{index}.guest"),
                "" if tap else str(sockets / f"nic{index}.host"),
            )
        )
    return found


def _nic_arguments(spec: NicSpec, nic: Nic) -> Tuple[List[str], List[int]]:
    """Arguments of one NIC and the tap descriptors that QEMU must inherit."""
    fds: List[int] = []
    device = f"{spec.device},netdev=n{nic.index},mac={nic.mac},romfile=,bus=port{nic.index}"
    if nic.tap:
        netns.create(nic.namespace)
        fds = netns.open_tap(nic.namespace, nic.tap, spec.queues)
        handles = "fds=" + ":".join(map(str, fds)) if spec.queues > 1 else f"fd={fds[0]}"
        backend = f"tap,id=n{nic.index},vhost=off,{handles}"
        # two vectors per pair, one for the control queue, one for changes of configuration
        device += f",mq=on,vectors={2 * spec.queues + 2}" if spec.queues > 1 else ""
    else:
        backend = (
            f"dgram,id=n{nic.index},local.type=unix,local.path={nic.guest},remote.type=unix,remote.path={nic.host}"
        )
    device += "".join(f",{name}={value}" for name, value in spec.options)
    number = nic.index
    return [
        "-netdev",
        backend,
        "-device",
        f"pcie-root-port,id=port{number},chassis={number + 1},slot={number + 1}",
        "-device",
        device,
    ], fds


def command(
    image: Image,
    name: str,
    kernel: str,
    size: Machine,
    directory: Path,
    sockets: Path,
    port: int,
    specs: Sequence[NicSpec],
    attached: Sequence[Nic],
) -> Tuple[List[str], List[int]]:
    """(argv, descriptors to pass on). Makes the taps."""
    boot = image.kernel(kernel).directory
    accelerator = host.accelerator(boot)
    parameters = (
        f"console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr no_timer_check audit=0 lab.host={name}"
    )
    argv = [
        host.QEMU,
        "-name",
        name,
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-M",
        "q35,usb=off,vmport=off",
        "-accel",
        accelerator,
        "-cpu",
        "host" if accelerator == "kvm" else "max,la57=off",
        "-smp",
        str(size.processors),
        "-m",
        str(size.memory_mib),
        "-kernel",
        str(boot / "vmlinuz"),
        "-initrd",
        str(boot / "initrd.cpio"),
        "-append",
        parameters,
        "-serial",
        f"file:{directory / 'console.log'}",
        "-qmp",
        f"unix:{sockets / 'qmp'},server=on,wait=off",
        "-object",
        "rng-random,filename=/dev/urandom,id=entropy",
        "-device",
        "virtio-rng-pci,rng=entropy",
        # cache=unsafe: a flush of the guest reaches this host's page cache, which outlives QEMU but not a power cut
        "-drive",
        f"file={directory / 'disk.qcow2'},if=none,id=disk,format=qcow2,cache=unsafe,aio=threads",
        "-device",
        "virtio-blk-pci,drive=disk",
        "-netdev",
        f"user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:22",
        "-device",
        f"virtio-net-pci,netdev=management,mac={MANAGEMENT_MAC},romfile=",
    ]
    fds: List[int] = []
    for spec, nic in zip(specs, attached):
        more, handles = _nic_arguments(spec, nic)
        argv += more
        fds += handles
    return argv, fds
