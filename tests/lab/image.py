# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests' disk: a small Debian 12 with systemd, sshd and the packages an Ansible target of ours has.

One image carries the modules of every kernel, so the same disk boots into each of them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from . import archive, cache, kernels
from .errors import LabError
from .kernels import Kernel
from .process import run

MANAGEMENT_MAC = "52:54:00:00:00:01"
_SIZE = "2G"
_PACKAGES = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "openssh-server",
    "python3",
    "python3-pyroute2",
    "python3-pyudev",
    "python3-ethtool",
    "python3-jinja2",
    "python3-yaml",
    "python3-jsonschema",
    "python3-apt",
    "python3-prometheus-client",
    "python3-bcrypt",
    "libbpf1",
    "iproute2",
    "ethtool",
    "bpftool",
    "kmod",
    "netbase",
    "iputils-ping",
    "pciutils",
    "irqbalance",
)
# What a virtual machine without screen, network storage or package timers need not start: half of the boot time.
_MASKED = (
    "getty@tty1.service",
    "getty-static.service",
    "serial-getty@ttyS0.service",
    "getty.target",
    "systemd-firstboot.service",
    "systemd-repart.service",
    "systemd-pcrphase.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-networkd-wait-online.service",
    "systemd-binfmt.service",
    "systemd-rfkill.socket",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-logind.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "remote-fs.target",
    "remote-cryptsetup.target",
    "remote-veritysetup.target",
    "proc-sys-fs-binfmt_misc.automount",
    "dev-mqueue.mount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "modprobe@drm.service",
    "modprobe@efi_pstore.service",
    "modprobe@fuse.service",
    "modprobe@configfs.service",
)
_FILES = {
    "etc/hostname": "node\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 node\n",
    "etc/fstab": "/dev/vda / ext4 rw,noatime 0 0\n",
    "etc/resolv.conf": "",
    "etc/systemd/network/05-management.link": f"[Match]\nMACAddress={MANAGEMENT_MAC}\n[Link]\nName=mgmt0\n",
    "etc/systemd/network/05-management.network": f"[Match]\nMACAddress={MANAGEMENT_MAC}\n"
    "[Network]\nAddress=10.0.2.15/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nConfigureWithoutCarrier=yes\n",
    "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=persistent\nSystemMaxUse=32M\n",
    "etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStopSec=15s\n",
    "etc/ssh/sshd_config.d/lab.conf": "UseDNS no\nPermitRootLogin prohibit-password\nUsePAM no\nPrintMotd no\n"
    "GSSAPIAuthentication no\nMaxStartups 100\nMaxSessions 100\n",
    "etc/systemd/system/lab-hostname.service": "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n"
    "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/lab-hostname\n[Install]\nWantedBy=sysinit.target\n",
}
_HOSTNAME = """#!/bin/sh
for word in $(cat /proc/cmdline); do
    case $word in lab.host=*) echo ${word#lab.host=} > /proc/sys/kernel/hostname ;; esac
done
"""


@dataclass(frozen=True)
class Image:
    """A bootable fleet image; `key` changes whenever anything in it does."""

    key: str
    directory: Path
    kernels: Dict[str, Kernel]

    @property
    def disk(self) -> Path:
        return self.directory / "base.ext4"

    @property
    def ssh_key(self) -> Path:
        return self.directory / "id"

    def kernel(self, label: str) -> Kernel:
        if label not in self.kernels:
            raise LabError(f"No kernel `{label}` in the lab; there are {', '.join(self.kernels)}.")
        return self.kernels[label]


def build(refresh: bool = False) -> Image:
    """The image, from the cache when nothing changed.

    The archive is asked for versions only at the first build, with `refresh`, and after a change of the builder:
    a fleet stays the same from run to run until one says otherwise.
    """
    recipe = cache.key(_recipe())
    current = cache.directory("images") / f"{recipe}.json"
    image = None if refresh else _load(current)
    if image is not None:
        return image
    with cache.locked("image"):
        image = None if refresh else _load(current)
        if image is None:
            image = _build()
            facts = {"key": image.key, "kernels": [asdict(kernel) for kernel in image.kernels.values()]}
            current.write_text(json.dumps(facts, default=str, indent=1), encoding="ascii")
            _prune()
        return image


def _recipe() -> List[str]:
    return [cache.source_of("kernels.py", "image.py"), archive.GUEST]


def _load(current: Path) -> Optional[Image]:
    if not current.exists():
        return None
    facts = json.loads(current.read_text(encoding="ascii"))
    found = [Kernel(row["label"], row["release"], Path(row["directory"])) for row in facts["kernels"]]
    image = Image(facts["key"], cache.directory("images") / facts["key"], {kernel.label: kernel for kernel in found})
    complete = image.disk.exists() and all((kernel.directory / "vmlinuz").exists() for kernel in found)
    return image if complete else None


def _build() -> Image:
    stable = archive.stable()
    built = [kernels.build(wanted) for wanted in kernels.resolve(stable)]
    userland = _userland(stable)
    key = cache.key([kernel.directory.name for kernel in built], userland.stem, _recipe())
    target = cache.directory("images") / key
    image = Image(key, target, {kernel.label: kernel for kernel in built})
    if not image.disk.exists():
        shutil.rmtree(target, ignore_errors=True)
        with cache.progress(f"disk image with kernels {', '.join(kernel.release for kernel in built)}"):
            with cache.made_in_place(target) as scratch:
                _assemble(scratch, userland, built)
        cache.say(f"  {image.disk}: {cache.mebibytes(image.disk)} MiB")
    return image


def _prune() -> None:
    """Two images (two checkouts at different commits) and those of present nodes stay; older ones go."""
    cache.prune(cache.directory("images"), keep=2, pattern="*.json")
    kept = [_load(path) for path in cache.directory("images").glob("*.json")]
    used = {image.key for image in kept if image} | {
        kernel.directory.name for image in kept if image for kernel in image.kernels.values()
    }
    present = cache.directory("nodes").glob("*/node.json")
    used |= {json.loads(path.read_text(encoding="ascii"))["image"] for path in present}
    for folder in ("images", "kernels"):
        for path in cache.directory(folder).iterdir():
            if path.is_dir() and path.name not in used:
                shutil.rmtree(path, ignore_errors=True)
    cache.prune(cache.directory("userland"), keep=2)
    cache.prune(cache.directory("debs"), keep=12)


def _userland(lists: archive.Lists) -> Path:
    """A tar of the packages; made again when the set of packages or their versions changes."""
    versions = [(name, lists.version(name)) for name in _PACKAGES]
    target = cache.directory("userland") / f"{cache.key(versions)}.tar"
    if not target.exists():
        with cache.progress(f"userland of {archive.GUEST}: {len(_PACKAGES)} packages and what they depend on"):
            scratch = target.with_name(f"{target.stem}.part.tar")
            run(
                "mmdebstrap",
                "--variant=minbase",
                "--quiet",
                f"--include={','.join(_PACKAGES)}",
                *_apt_options(),
                *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("man", "doc", "locale", "info")),
                archive.GUEST,
                scratch,
                lists.sources,
            )
            scratch.rename(target)
        cache.say(f"  {target}: {cache.mebibytes(target)} MiB")
    cache.touch(target)
    return target


def _apt_options() -> Tuple[str, ...]:
    options = ['APT::Install-Recommends "false"', *(line.rstrip(";") for line in archive.passed_on())]
    return tuple(f"--aptopt={option}" for option in options)


def _assemble(target: Path, userland: Path, built: List[Kernel]) -> None:
    tree = target / "tree"
    tree.mkdir()
    run("tar", "-C", tree, "-xpf", userland, "--numeric-owner", "--xattrs")
    for kernel in built:
        modules = tree / "usr" / "lib" / "modules" / kernel.release
        modules.parent.mkdir(exist_ok=True)
        run("cp", "-a", kernel.directory / "lib" / "modules" / kernel.release, modules)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "wirespeed-lab", "-f", target / "id")
    _configure(tree, (target / "id.pub").read_text(encoding="ascii"))
    for path in (tree / "dev").iterdir():
        run("rm", "-rf", path)
    run("truncate", "-s", _SIZE, target / "base.ext4")
    run(
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-J",
        "size=8",
        "-O",
        "^metadata_csum,^64bit",
        "-E",
        "lazy_itable_init=1,nodiscard",
        "-d",
        tree,
        target / "base.ext4",
    )
    run("rm", "-rf", tree)


def _configure(tree: Path, public_key: str) -> None:
    for name, text in _FILES.items():
        _write(tree / name, text)
    _write(tree / "usr/local/sbin/lab-hostname", _HOSTNAME, 0o755)
    _write(tree / "root/.ssh/authorized_keys", public_key, 0o600)
    (tree / "root/.ssh").chmod(0o700)
    for unit in _MASKED:
        path = tree / "etc/systemd/system" / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    in_guest = ("chroot", tree)
    run(*in_guest, "systemctl", "enable", "-q", "ssh.service", "systemd-networkd.service", "lab-hostname.service")
    run(*in_guest, "systemctl", "disable", "-q", "irqbalance.service")  # a test that needs it starts it
    run(*in_guest, "ssh-keygen", "-A")
    run(*in_guest, "systemd-machine-id-setup")
    run(*in_guest, "python3", "-m", "compileall", "-q", "/usr/lib/python3", "/usr/lib/python3.11")
    run(*in_guest, "systemd-hwdb", "update")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
