# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test may need from the machine, and how to find out whether it is there.

``@requires_bpf`` (or ``requires("root", "clang")``) skips a test where the probe fails; the skip message names the
probe and what it found, so that the list at the end of a run says what the run did not show.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict

import pytest

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
BPF_MAP_CREATE = 0
SYS_BPF = {"x86_64": 321, "aarch64": 280}


def _root() -> str:
    return "" if os.geteuid() == 0 else f"running as uid {os.geteuid()}, not root"


def _in_child(attempt: Callable[[], str]) -> str:
    """The answer of ``attempt``, made in a child so that this process keeps its namespaces and mounts."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            text = attempt()
        except OSError as error:
            text = str(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def unshare(flags: int) -> None:
    """``unshare(2)``; Python has it since 3.12 only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")


def _netns() -> str:
    def attempt() -> str:
        unshare(CLONE_NEWNET)
        return ""

    return _root() or _in_child(attempt)


def _bpf() -> str:
    """Create the smallest array map: says whether the syscall is allowed here (kernel, lockdown, seccomp)."""
    attributes = ctypes.create_string_buffer(72)
    ctypes.memmove(attributes, b"".join(n.to_bytes(4, sys.byteorder) for n in (2, 4, 4, 1)), 16)
    number = SYS_BPF.get(os.uname().machine)
    if number is None:
        return f"bpf syscall number of {os.uname().machine} is not known here"
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(number, BPF_MAP_CREATE, attributes, 72)
    if descriptor < 0:
        return f"bpf(BPF_MAP_CREATE): {os.strerror(ctypes.get_errno())}"
    os.close(descriptor)
    return ""


def _bpffs() -> str:
    with open("/proc/filesystems") as filesystems:
        known = "\tbpf\n" in filesystems.read()
    return _root() or ("" if known else "this kernel has no bpf filesystem")


def _libbpf() -> str:
    try:
        ctypes.CDLL("libbpf.so.1")
    except OSError as error:
        return str(error)
    return ""


def _command(name: str) -> str:
    return "" if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") else f"no `{name}` on PATH"


def _veth() -> str:
    def attempt() -> str:
        unshare(CLONE_NEWNET)
        answer = subprocess.run(["ip", "link", "add", "type", "veth"], capture_output=True, text=True, check=False)
        return answer.stderr.strip()

    return _netns() or _command("ip") or _in_child(attempt)


def _xdp_tools() -> str:
    objects = list(Path("/usr/lib").glob("*/bpf/xdpfilt_alw_all.o"))
    return _command("xdp-loader") or ("" if objects else "no objects of xdp-filter in /usr/lib/*/bpf")


def _library(name: str) -> str:
    return "" if importlib.util.find_spec(name) else f"no Python library {name}"


def _clone() -> str:
    repository = Path(__file__).resolve().parent.parent / ".git"
    return _command("git") or ("" if repository.exists() else "this is no clone of the repository")


PROBES: Dict[str, Callable[[], str]] = {
    "root": _root,
    "netns": _netns,
    "veth": _veth,
    "bpf": _bpf,
    "bpffs": _bpffs,
    "libbpf": _libbpf,
    "clang": lambda: _command("clang"),
    "ethtool": lambda: _command("ethtool"),
    "bpftool": lambda: _command("bpftool"),
    "chromium": lambda: _command("chromium"),
    "clone": _clone,
    "dpkg-deb": lambda: _command("dpkg-deb"),
    "curl": lambda: _command("curl"),
    "jq": lambda: _command("jq"),
    "tshark": lambda: _command("tshark"),
    "ping": lambda: _command("ping"),
    "libpcap": lambda: "" if ctypes.util.find_library("pcap") else "no libpcap",
    "nmcli": lambda: _command("nmcli"),
    "xdp-tools": _xdp_tools,
    "mstconfig": lambda: _command("mstconfig"),
    "tuned": lambda: "" if os.path.isdir("/usr/lib/tuned") else "no profiles in /usr/lib/tuned",
    "sshd": lambda: _command("sshd") or _command("ssh"),
    "bcrypt": lambda: _library("bcrypt"),
    "prometheus_client": lambda: _library("prometheus_client"),
    "rich": lambda: _library("rich"),
    "ansible": lambda: "" if shutil.which("ansible-playbook", path=os.path.dirname(sys.executable)) else "no ansible",
}


@functools.cache
def failure(probe: str) -> str:
    """Empty where what ``probe`` names is there, else what was found instead."""
    return PROBES[probe]()


def requires(*probes: str) -> pytest.MarkDecorator:
    unknown = sorted(set(probes) - set(PROBES))
    if unknown:
        raise ValueError(f"no such probe: {', '.join(unknown)}; there are {', '.join(PROBES)}")
    return pytest.mark.requires(*probes)


requires_root = requires("root")
requires_netns = requires("netns")
requires_veth = requires("veth")
requires_bpf = requires("root", "bpf", "bpffs", "libbpf")
requires_ethtool = requires("ethtool")
requires_bpftool = requires("bpftool")
requires_sshd = requires("root", "netns", "sshd")
