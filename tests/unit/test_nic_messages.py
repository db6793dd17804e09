# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes to facts and back: netlink messages, acks with and without a reason, links."""

from __future__ import annotations

import errno
import struct
from typing import Any, Dict

import pytest

from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import ethtool_netlink, netlink, rtnetlink
from wirespeed.kernel.netlink import Attribute, Message, Nest, Reply
from wirespeed.model.nic import XdpMode

MESSAGE = Message(
    netlink.GENERIC_HEAD,
    (
        Attribute(1, "header", Nest((Attribute(1, "index", "uint32"), Attribute(2, "name", "asciiz")))),
        Attribute(2, "bits", Nest((Attribute(1, "bit", "uint32", repeated=True),))),
        Attribute(9, "raw", "cdata"),
    ),
)


def attribute(number: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), number) + payload.ljust((len(payload) + 3) & ~3, b"\0")


def frame(kind: int, flags: int, body: bytes, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


class Line:
    """A socket that keeps what is sent and answers with what is given."""

    def __init__(self, *answers: bytes) -> None:
        self.sent = b""
        self.answers = list(answers)

    def send(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.answers.pop(0)


def conversation(line: Line) -> Any:
    made = netlink._Conversation.__new__(netlink._Conversation)
    made.socket, made.sequence = line, 0
    return made


def receive(*answers: bytes) -> Any:
    return conversation(Line(*answers)).receive(1, MESSAGE, "a call")


def ack(code: int, *attributes: bytes, capped: bool = True, echoed: bytes = b"") -> bytes:
    """struct nlmsgerr: the code, the request's header, the request unless capped, the attributes."""
    flags = (netlink._CAPPED if capped else 0) | (netlink._ACK_TLVS if attributes else 0)
    request = frame(17, 5, echoed) if not capped else frame(17, 5, b"")
    return frame(2, flags, struct.pack("=i", -code) + request + b"".join(attributes))


def test_request_is_packed_as_the_kernel_expects() -> None:
    line = Line()
    head = {"cmd": 18, "version": 1}
    values = {"header": {"index": 7, "name": "eth1"}, "bits": {"bit": [5, 6]}, "raw": b"abc"}
    conversation(line).send(21, MESSAGE, head, values, netlink.ACK)
    nested = 0x8000  # NLA_F_NESTED
    body = struct.pack("=BBH", 18, 1, 0)
    body += attribute(1 | nested, attribute(1, struct.pack("=I", 7)) + attribute(2, b"eth1\0"))
    body += attribute(2 | nested, attribute(1, struct.pack("=I", 5)) + attribute(1, struct.pack("=I", 6)))
    body += attribute(9, b"abc")
    assert line.sent == frame(21, 5, body)


def test_reply_is_unpacked_and_unknown_attributes_are_passed_over() -> None:
    body = struct.pack("=BBH", 3, 1, 0)
    body += attribute(1, attribute(2, b"eth1\0"))
    body += attribute(77, b"new in the next kernel")
    body += attribute(2, attribute(1, struct.pack("=I", 5)) + attribute(1, struct.pack("=I", 6)))
    replies, whole = receive(frame(21, 0, body), ack(0))
    assert whole
    assert replies == [
        Reply({"cmd": 3, "version": 1, "reserved": 0}, {"header": {"name": "eth1"}, "bits": {"bit": [5, 6]}})
    ]


def test_reply_to_an_earlier_request_is_dropped() -> None:
    stale = frame(21, 0, struct.pack("=BBH", 3, 1, 0), sequence=99)
    assert receive(stale + ack(0)) == ([], True)


def test_refusal_carries_the_kernels_reason() -> None:
    with pytest.raises(KernelRefusal) as refused:
        receive(ack(errno.EINVAL, attribute(2, struct.pack("=I", 40)), attribute(1, b"ring size too big\0")))
    assert (refused.value.call, refused.value.code) == ("a call", errno.EINVAL)
    assert refused.value.reason == "ring size too big"


def test_reason_is_found_behind_an_echoed_request() -> None:
    with pytest.raises(KernelRefusal, match="ring size too big"):
        receive(ack(errno.EINVAL, attribute(1, b"ring size too big\0"), capped=False, echoed=bytes(20)))


def test_refusal_without_a_reason_says_so() -> None:
    with pytest.raises(KernelRefusal, match="gave no reason"):
        receive(ack(errno.EBUSY))


def test_warning_on_a_success_is_no_refusal() -> None:
    assert receive(ack(0, attribute(1, b"LRO is not supported with XDP\0"))) == ([], True)


def test_operation_that_the_driver_lacks_has_its_own_error() -> None:
    with pytest.raises(NotSupported):
        receive(ack(errno.EOPNOTSUPP))


def test_refusal_for_want_of_rights_says_what_to_do() -> None:
    with pytest.raises(KernelRefusal, match="Run as root"):
        receive(ack(errno.EPERM))


def test_refusal_at_the_end_of_a_list_counts() -> None:
    done = struct.pack("=i", -errno.EOPNOTSUPP)
    with pytest.raises(NotSupported):
        receive(frame(3, 2, done))


def test_list_that_changed_meanwhile_is_not_whole() -> None:
    assert receive(frame(3, 2 | netlink._DUMP_INTERRUPTED, bytes(4))) == ([], False)


def link(xdp: Dict[str, int]) -> rtnetlink.Link:
    head = {"index": 4, "flags": 1}
    return rtnetlink._link(Reply(head, {"name": "eth1", "mtu": 1500, "address": b"\x02\0\0\0\0\x0f", "xdp": xdp}))


@pytest.mark.parametrize(
    ("xdp", "expected"),
    [
        ({}, ()),
        ({"attached": 0}, ()),
        ({"attached": 1, "prog_id": 7, "driver": 7}, ((XdpMode.NATIVE, 7),)),
        ({"attached": 2, "prog_id": 8, "generic": 8}, ((XdpMode.GENERIC, 8),)),
        ({"attached": 3, "prog_id": 9, "offload": 9}, ((XdpMode.OFFLOAD, 9),)),
        ({"attached": 4, "offload": 9, "driver": 7}, ((XdpMode.NATIVE, 7), (XdpMode.OFFLOAD, 9))),
    ],
)
def test_xdp_hook_is_read_in_every_mode(xdp: Dict[str, int], expected: Any) -> None:
    assert link(xdp).xdp == expected


def test_link_that_tells_little_is_still_a_link() -> None:
    found = link({})
    assert (found.mac, found.up, found.carrier, found.parent_bus) == ("02:00:00:00:00:0f", True, False, "")


def test_bitset_is_read_beyond_its_first_word() -> None:
    names = [f"feature{bit}" for bit in range(70)]
    words = struct.pack("=3I", 1, 1 << 31, 1 << 5)
    assert ethtool_netlink._members(names, {"value": words}) == {"feature0", "feature63", "feature69"}


def test_bit_without_a_name_is_no_feature() -> None:
    assert ethtool_netlink._members(["", "kept"], {"value": struct.pack("=I", 3)}) == {"kept"}
