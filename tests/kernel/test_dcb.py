# SPDX-License-Identifier: GPL-3.0-or-later
"""The DCB state over rtnetlink. No driver here has DCB: that the kernel looks the interface up says that it reads the
message, and what it would answer is decoded from the bytes of an answer."""

from __future__ import annotations

import errno

import pytest

from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import dcb, netlink
from wirespeed.kernel.port import Port

from .netns import Veth


def test_a_driver_without_dcb_does_not_tell(veth: Veth) -> None:
    with pytest.raises(NotSupported, match="GETDCB"):
        veth.node.run(dcb.enabled, Port(veth.ifname, 0))


def test_an_interface_that_has_gone_is_told(veth: Veth) -> None:
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(dcb.enabled, Port("gone0", 0))
    assert refused.value.code == errno.ENODEV


@pytest.mark.parametrize(("state", "enabled"), [(0, False), (1, True)])
def test_an_answer_is_decoded(monkeypatch: pytest.MonkeyPatch, state: int, enabled: bool) -> None:
    """struct dcbmsg, then DCB_ATTR_STATE as dcbnl_getstate puts it (nla_put_u8)."""
    head = bytes([0, 1, 0, 0])
    answer = head + bytes([5, 0, 2, 0, state, 0, 0, 0])

    def request(_protocol, _kind, message, *_rest):  # type: ignore[no-untyped-def]
        frame = (16 + len(answer)).to_bytes(4, "little") + bytes([78, 0, 0, 0]) + bytes(8) + answer
        return [netlink._decode(message, frame, 0)]

    monkeypatch.setattr(netlink, "request", request)
    assert dcb.enabled(Port("eth1", 7)) is enabled
