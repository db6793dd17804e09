# SPDX-License-Identifier: GPL-3.0-or-later
"""The option soak, and whether the one who asked is still there."""

from __future__ import annotations

import os
import socket
from typing import Any, Dict

import pytest

from wirespeed import soak_option
from wirespeed.errors import BadInput, Place
from wirespeed.kernel import caller
from wirespeed.pipeline.checks import Bound, Health

PLACE = Place("test")


@pytest.mark.parametrize("given", [None, {}, {"seconds": 0}, {"seconds": 0.0, "reach": []}, {"reach": None}])
def test_without_seconds_nothing_is_waited_for(given: Any) -> None:
    assert soak_option.parse(given, PLACE) is None


def test_what_is_given_goes_before_the_manifest_and_that_before_the_usual() -> None:
    soak = soak_option.parse({"seconds": "2", "max_errors": 5, "verdicts": {"bad": {"max_share": 0.1}}}, PLACE)
    assert soak is not None
    own = Health(10, min_packets=7, max_change=0.2, verdicts={"odd": Bound(max_change=0.3)})
    expected = Health(2, min_packets=7, max_change=0.2, verdicts={"bad": Bound(max_share=0.1)}, max_errors=5)
    assert soak.health(own) == expected
    assert soak.health(None).min_packets == 1000


def test_peers_are_addresses_with_a_port() -> None:
    soak = soak_option.parse({"seconds": 1, "reach": ["192.0.2.1:22", "[2001:db8::1]:179"]}, PLACE)
    assert soak is not None and soak.reach == (("192.0.2.1", 22), ("2001:db8::1", 179))


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"second": 1}, "Did you mean 'seconds'"),
        ({"seconds": 601}, "from 0 to 600"),
        ({"seconds": 0.01}, "0.1 to 600"),
        ({"seconds": "soon"}, "soak.seconds: is 'soon'"),
        ({"seconds": True}, "soak.seconds"),
        ({"seconds": 1, "max_change": 2}, "soak.max_change"),
        ({"seconds": 1, "verdicts": {"bad": {}}}, "soak.verdicts.bad: has no bound"),
        ({"seconds": 1, "verdicts": {"bad": {"share": 1}}}, "soak.verdicts.bad.share"),
        ({"seconds": 1, "reach": ["192.0.2.1"]}, "soak.reach"),
        ({"seconds": 1, "reach": ["192.0.2.1:0"]}, "soak.reach"),
        ("30", "not a mapping"),
    ],
)
def test_a_mistake_names_the_field(given: Any, part: str) -> None:
    with pytest.raises(BadInput) as caught:
        soak_option.parse(given, PLACE)
    assert part in str(caught.value)


def test_a_bound_on_a_verdict_that_nobody_has_is_refused() -> None:
    said: Dict[str, Any] = {"seconds": 1, "verdicts": {"malformd": {"max_share": 0.1}}}
    soak = soak_option.parse(said, PLACE)
    assert soak is not None
    with pytest.raises(BadInput, match="Did you mean 'malformed'"):
        soak.check_names(["pass", "malformed"], PLACE)


def test_who_reads_a_pipe_is_there_until_it_is_closed() -> None:
    reader, writer = os.pipe()
    assert caller.listening(writer)
    os.close(reader)
    assert not caller.listening(writer)
    os.close(writer)


def test_who_reads_a_socket_is_there_until_it_is_closed_also_when_it_sends_no_more() -> None:
    ours, theirs = socket.socketpair()
    theirs.shutdown(socket.SHUT_WR)  # as sshd after the end of the input
    assert caller.listening(ours.fileno())
    theirs.close()
    assert not caller.listening(ours.fileno())
    ours.close()


def test_a_peer_that_takes_or_refuses_a_connection_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert caller.answers("127.0.0.1", port, 2)
    assert caller.answers("127.0.0.1", port, 2)
