# SPDX-License-Identifier: GPL-3.0-or-later
"""RSS as bytes: what the ioctls carry, and what words become."""

from __future__ import annotations

import errno
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange
from wirespeed.kernel import ethtool_rss, machine_id
from wirespeed.kernel.port import Port
from wirespeed.model.settings import SettingFacts
from wirespeed.nic import rss, rss_fields

PORT = Port("eth1", 7)
KEY = bytes(range(4))
HEAD = struct.Struct("=IIIIBBBBI")


class Kernel:
    """The two ioctl structures as net/ethtool/ioctl.c fills and reads them; keeps what is written."""

    def __init__(self, table: Tuple[int, ...] = (0, 1, 0, 1), key: bytes = KEY, fields: Any = None) -> None:
        self.table, self.key, self.fields = table, key, fields or {}
        self.written: List[bytes] = []

    def __call__(self, name: str, command: str, data: bytes) -> bytes:
        if command == "GRSSH":
            body = struct.pack(f"={len(self.table)}I", *self.table) + self.key
            whole = HEAD.pack(0x46, 0, len(self.table), len(self.key), 1, 0, 0, 0, 0) + body
            return whole[: len(data)]
        if command == "GRXRINGS":
            return struct.pack("=IIQ", 0x2D, 0, 2) + data[16:]
        if command.startswith("GRXFH"):
            flow = struct.unpack_from("=I", data, 4)[0]
            if flow not in self.fields:
                raise KernelRefusal(command, errno.EINVAL)
            return struct.pack("=IIQ", 0x29, flow, self.fields[flow]) + data[16:]
        self.written.append(data)
        return data


def kernel(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> Kernel:
    made = Kernel(**parts)
    monkeypatch.setattr(ethtool_rss, "call", made)
    return made


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "machine-id"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(machine_id, "_MACHINE_ID", path)
    return path


def test_table_key_and_function_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch)
    facts = rss.read(PORT)
    expected = {"indirection": (0, 1, 0, 1), "key": "00:01:02:03", "function": "toeplitz", "input-xfrm": "none"}
    assert (facts.values, facts.maxima) == (expected, {"indirection": 1})


@pytest.mark.parametrize(("release", "known"), [("6.1.0-28-amd64", False), ("6.8.0", True), ("7.2.13+deb14", True)])
def test_kernel_before_6_8_knows_of_no_transformation(
    monkeypatch: pytest.MonkeyPatch, release: str, known: bool
) -> None:
    kernel(monkeypatch)
    monkeypatch.setattr(ethtool_rss.os, "uname", lambda: SimpleNamespace(release=release))
    assert ("input-xfrm" in rss.read(PORT).values) is known


def test_driver_without_a_key_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, key=b"")
    facts = rss.read(PORT)
    assert "key" not in facts.values and facts.derived == {}


def test_driver_without_a_table_has_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, table=())
    with pytest.raises(NotSupported):
        rss.read(PORT)


def test_table_is_written_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    written = kernel(monkeypatch).written
    rss.write(PORT, {"indirection": (1, 1, 0, 0)})
    assert written == [HEAD.pack(0x47, 0, 4, 0, 0, 0, 0, 0, 0) + struct.pack("=4I", 1, 1, 0, 0)]


def test_key_and_function_leave_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    written = kernel(monkeypatch).written
    rss.write(PORT, {"key": "0a:0b:0c:0d", "function": "xor", "input-xfrm": "symmetric-xor"})
    assert written == [HEAD.pack(0x47, 0, 0xFFFFFFFF, 4, 2, 1, 0, 0, 0) + bytes((10, 11, 12, 13))]


FACTS = SettingFacts(
    {"indirection": (0, 1), "key": "00:01:02:03", "function": "toeplitz"},
    {"indirection": 1},
    derived={"key": "aa:bb:cc:dd"},
)


@pytest.mark.parametrize(
    ("want", "settled"),
    [("host", "aa:bb:cc:dd"), ("symmetric", "6d:5a:6d:5a"), ("0A0B0C0D", "0a:0b:0c:0d")],
)
def test_key_is_settled_in_full(want: str, settled: str) -> None:
    assert rss.settle(FACTS, {"key": want}, {}) == {"key": settled}


@pytest.mark.parametrize("want", ["0a:0b:0c", "0a:0b:0c:0d:0e", "hist", 12])
def test_key_of_another_length_is_out_of_range(want: Any) -> None:
    with pytest.raises(OutOfRange, match="4 bytes in hexadecimal, 'host', 'symmetric'"):
        rss.settle(FACTS, {"key": want}, {})


@pytest.mark.parametrize(
    ("want", "allowed"),
    [
        ({"function": "md5"}, "toeplitz, xor, crc32"),
        ({"input-xfrm": "none"}, "this NIC has no 'input-xfrm'"),
        ({"colour": "red"}, "this NIC has no 'colour'"),
    ],
)
def test_impossible_hash_says_what_is_allowed(want: Dict[str, Any], allowed: str) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        rss.settle(FACTS, want, {})


def test_hosts_key_is_always_the_same_and_tells_nothing_of_the_machines_id(identity: Path) -> None:
    key = machine_id.derived("a purpose", 40)
    assert len(key) == 40 and key == machine_id.derived("a purpose", 52)[:40]
    assert key != machine_id.derived("another purpose", 40)
    identity.write_text("fedcba9876543210fedcba9876543210\n")
    assert key[:8] != machine_id.derived("a purpose", 8)


def test_machine_without_an_id_has_no_key_of_its_own(identity: Path) -> None:
    identity.write_text("")
    assert machine_id.derived("a purpose", 40) == b""
    with pytest.raises(OutOfRange, match="machine-id"):
        rss.settle(SettingFacts({"key": "00:01"}), {"key": "host"}, {})


def test_hashed_fields_are_read_by_flow_and_flows_that_the_driver_lacks_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel(monkeypatch, fields={0x01: 0xF0, 0x02: 0x30, 0x10: 0, 0x11: 0x230})
    assert rss_fields.read(PORT).values == {"tcp4": "sdfn", "udp4": "sd", "ip4": "none", "ip6": "sd+0x200"}


def test_driver_that_knows_no_flow_has_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch)
    with pytest.raises(NotSupported):
        rss_fields.read(PORT)


def test_hashed_fields_are_written_flow_by_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    written = kernel(monkeypatch).written
    rss_fields.write(PORT, {"udp4": "sdfn", "ip6": "sd+0x200"})
    assert [struct.unpack_from("=IIQ", data) for data in written] == [(0x2A, 2, 0xF0), (0x2A, 0x11, 0x230)]


UDP = SettingFacts({"udp4": "sd"})


def test_letters_in_any_order_are_the_same_fields() -> None:
    assert rss_fields.settle(UDP, {"udp4": "nfds"}, {}) == {"udp4": "sdfn"}
    assert rss_fields.settle(UDP, {"udp4": "none"}, {}) == {"udp4": "none"}


@pytest.mark.parametrize("want", ["sdx", "ss", "", 4])
def test_impossible_fields_say_which_letters_there_are(want: Any) -> None:
    with pytest.raises(OutOfRange, match="letters of mvtsdfner"):
        rss_fields.settle(UDP, {"udp4": want}, {})
