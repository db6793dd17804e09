# SPDX-License-Identifier: GPL-3.0-or-later
"""The challenge of a SYN, against a real TCP stack: it connects as if nothing were there."""

from __future__ import annotations

import socket
import threading
from typing import Any, Dict, List, Tuple

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.model.nic import XdpMode

from .conftest import Places
from .netns import Factory
from .scrubber_attached import attach, counts, open_map, quiet_veth

pytestmark = [requires_bpf, requires("clang", "ethtool")]

PORT, HELLO = 4433, b"through"
ADDRESSES = {4: ("192.0.2.1", "192.0.2.2", 24), 6: ("2001:db8::1", "2001:db8::2", 64)}
"""The node's, the client's, and the length of their prefix."""


def protecting(version: int) -> Dict[str, List[Any]]:
    address = ADDRESSES[version][0]
    return {
        f"customers_v{version}": [{"prefix": address, "customer": 601, "policy": 12}],
        "policies": [{"policy": 12, "countermeasures": ["syn_cookies", "connections"]}],
    }


def say_hello(address: str, times: int) -> List[bytes]:
    """Connections one after the other, each sends and is answered."""
    heard = []
    for dummy in range(times):
        with socket.create_connection((address, PORT), timeout=30) as client:
            client.sendall(HELLO)
            heard.append(client.recv(100))
    return heard


def echo(listening: socket.socket, times: int) -> None:
    for dummy in range(times):
        with listening.accept()[0] as client:
            client.sendall(client.recv(100))


@pytest.mark.parametrize("mode", [XdpMode.NATIVE, XdpMode.GENERIC])
@pytest.mark.parametrize("version", ADDRESSES)
def test_a_client_connects_through_a_challenge_once(
    namespaces: Factory, places: Places, version: int, mode: XdpMode
) -> None:
    here, there, length = ADDRESSES[version]
    veth = quiet_veth(namespaces)
    for where, name, address in ((veth.node, veth.ifname, here), (veth.wire, veth.wire_ifname, there)):
        where.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=0")
        where.command("ip", "link", "set", name, "multicast", "on")
        where.command("ip", "address", "add", f"{address}/{length}", "dev", name, *["nodad"][: version == 6])

    def on_node() -> Tuple[List[bytes], Dict[str, int], int]:
        attach(veth, protecting(version), mode)
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with socket.create_server((here, PORT), family=family) as listening:
            server = threading.Thread(target=echo, args=(listening, 2), daemon=True)
            server.start()
            heard = veth.wire.run(say_hello, here, 2)
            server.join(30)
        with open_map("verified") as verified:
            return heard, counts(), len(list(verified.items()))

    heard, counted, verified = veth.node.run(on_node)
    assert heard == [HELLO, HELLO]
    assert (counted["syn_challenge"], counted["syn_cookies"], verified) == (1, 1, 1)
    assert "no_connection" not in counted
