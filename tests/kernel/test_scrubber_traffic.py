# SPDX-License-Identifier: GPL-3.0-or-later
"""Each countermeasure against frames on a wire: exact counts, which the model says too."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Sequence, Tuple

import pytest

from tests.probes import requires, requires_bpf
from tests.scrubber_model.judge import Scrubber

from .conftest import Places
from .netns import Factory, Veth
from .scrubber_attached import Scenario, age_flows, attach, built, counts, forget, passed_through, quiet_veth

pytestmark = [requires_bpf, requires("clang", "ethtool")]

INSIDE, INSIDE_6 = "203.0.113.7", "2001:db8:c::7"
CLIENT, CLIENT_6, OTHER = "198.51.100.9", "2001:db8::9", "198.51.100.10"
LONG = {f"{name}_timeout": "1h" for name in ("opening", "established", "closing", "udp", "verified")}
A_TOKEN = 0.9
"""Seconds, less than in which a token comes back."""


def policy(*countermeasures: str, **more: Any) -> Dict[str, List[Any]]:
    """One customer whose policy it is."""
    return {
        "customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 12}],
        "customers_v6": [{"prefix": "2001:db8:c::/48", "customer": 602, "policy": 12}],
        "policies": [{"policy": 12, "countermeasures": list(countermeasures), **LONG, **more}],
    }


def v4(source: str = CLIENT, destination: str = INSIDE, **more: Any) -> Dict[str, Any]:
    return {"ipv4": {"source": source, "destination": destination}, **more}


def v6(source: str = CLIENT_6, destination: str = INSIDE_6, **more: Any) -> Dict[str, Any]:
    return {"ipv6": {"source": source, "destination": destination}, **more}


def tcp(*flags: str, source: int = 40000, destination: int = 443) -> Dict[str, Any]:
    return {"tcp": {"source": source, "destination": destination, "flags": list(flags)}}


def udp(source: int, destination: int) -> Dict[str, Any]:
    return {"udp": {"source": source, "destination": destination}}


def two_sources_of_which_one_is_too_fast() -> Scenario:
    frames = built(v4(**udp(1, 53)), 50) + built(v4(OTHER, **udp(1, 53)), 10) + built(v6(**udp(1, 53)), 21)
    frames += built(v6("2001:db8::a", **udp(1, 53)))  # the same /64
    return policy("rate_limit", rate=1, burst=20), frames, {"pass": 50, "rate_limit": 32}


def a_port_scan() -> Scenario:
    document = {**policy("ports"), "ports": [{"policy": 12, "protocol": 6, "port": 443, "action": "allow"}]}
    scan = [built(v4(**tcp("syn", destination=port)))[0] for port in range(400, 500)]
    return document, scan + built(v4(icmp={})), {"pass": 1, "port": 100}


def a_service_that_is_closed() -> Scenario:
    rows = [{"policy": 12, "protocol": 17, "port": 0, "action": "deny"}]
    document = {**policy("ports", other_ports="allow"), "ports": rows}
    return document, built(v4(**udp(1, 53)), 7) + built(v6(**tcp("syn")), 5), {"port": 7, "pass": 5}


def queries_of_a_game() -> Scenario:
    wanted = b"\xff\xff\xff\xffTSource"
    row = {"policy": 12, "index": 0, "protocol": 17, "offset": 0, "length": 5}
    row.update(bytes=wanted[:5].ljust(16, b"\0").hex(), mask=(b"\xff" * 5).ljust(16, b"\0").hex())
    flood = built(v4(**udp(1, 27015), payload={"hex": wanted.hex()}), 30)
    flood += built(v6(**udp(1, 27015), payload={"hex": wanted.hex()}), 10)
    sound = built(v4(**udp(1, 27015), payload={"hex": "ff ff ff"}, length=60)) + built(v4(**udp(1, 27015)))
    return {**policy("patterns"), "patterns": [row]}, flood + sound, {"pattern": 40, "pass": 2}


def a_connection_and_a_flood_of_acks() -> Scenario:
    whole = [("syn",), ("ack",), ("psh", "ack"), ("fin", "ack"), ("ack",)]
    frames = [built(v4(**tcp(*flags)))[0] for flags in whole] + [built(v6(**tcp(*flags)))[0] for flags in whole]
    flood = [built(v4(**tcp("ack", source=port)))[0] for port in range(1000, 1100)]
    return policy("connections"), frames + flood, {"pass": 10, "no_connection": 100}


def an_answer_and_what_nobody_asked_for() -> Scenario:
    asked = built(v4(INSIDE, "192.0.2.53", **udp(5353, 53)))
    answers = built(v4("192.0.2.53", INSIDE, **udp(53, 5353)), 3)
    flood = built(v4("192.0.2.54", INSIDE, **udp(53, 5353)), 40)
    return policy("udp_pairs"), asked + answers + flood, {"pass": 4, "no_connection": 40}


def a_syn_ack_for_whom_asked_and_for_whom_not() -> Scenario:
    asked = built(v4(INSIDE, CLIENT, **tcp("syn", source=5000, destination=80)))
    answer = built(v4(CLIENT, INSIDE, **tcp("syn", "ack", source=80, destination=5000)))
    flood = built(v4(OTHER, INSIDE, **tcp("syn", "ack", source=80, destination=5000)), 9)
    return policy("connections"), asked + answer + flood, {"pass": 2, "no_connection": 9}


def answers_of_amplifiers() -> Scenario:
    document = {**policy("amplification"), "amplifiers": ["53", "123", "11211"]}
    flood = [built(v4(**udp(port, 40000)))[0] for port in (53, 123, 11211, 11211, 124)]
    return document, flood + built(v4(**tcp("ack", source=53))), {"amplification": 4, "pass": 2}


def fragments_of_every_kind() -> Scenario:
    first, later = {"flags": ["mf"]}, {"fragment_offset": 185, "protocol": 17}
    ends = {"source": CLIENT, "destination": INSIDE}
    frames = built({"ipv4": {**ends, **first}, **udp(1, 53)}, 3) + built({"ipv4": {**ends, **later}, "length": 60}, 4)
    ends_6 = {"source": CLIENT_6, "destination": INSIDE_6}
    whole_6, first_6 = ([{"fragment": {"offset": 0, "more": more}}] for more in (False, True))
    frames += built({"ipv6": {**ends_6, "extensions": first_6}, **tcp("ack")}, 5)
    frames += built({"ipv6": {**ends_6, "extensions": whole_6}, **tcp("ack")}, 6)
    return policy("fragments", fragments="deny_udp"), frames, {"fragment": 7, "pass": 11}


def a_flood_of_syns_from_everywhere() -> Scenario:
    flood = [built(v4(f"192.0.2.{number}", **tcp("syn")))[0] for number in range(1, 101)]
    flood += [built(v6(f"2001:db8::{number}", **tcp("syn")))[0] for number in range(1, 51)]
    odd = {"ipv4": {"source": CLIENT, "destination": INSIDE, "options": "94 04 00 00"}, **tcp("syn")}
    return policy("syn_cookies"), flood + built(odd, 3), {"syn_challenge": 150, "syn_cookies": 3}


def prefixes_for_all_and_of_a_policy() -> Scenario:
    document = {
        **policy("ports"),
        "allow_v4": ["192.0.2.8/32"],
        "deny_v4": ["192.0.2.0/24"],
        "deny_address_v4": ["198.51.100.66"],
        "policy_prefixes_v4": [
            {"policy": 12, "prefix": "100.64.0.0/10", "action": "deny"},
            {"policy": 12, "prefix": "100.64.1.0/24", "action": "allow"},
        ],
    }
    sources = ("192.0.2.8", "192.0.2.9", "198.51.100.66", "100.64.7.7", "100.64.1.7", CLIENT)
    frames = [each for source in sources for each in built(v4(source, **udp(1, 53)), 2)]
    verdicts = ("allow_prefix", "deny_prefix_v4", "deny_address", "policy_deny", "policy_allow", "port")
    return document, frames, dict.fromkeys(verdicts, 2)


def a_policy_on_trial() -> Scenario:
    frames = built(v4(**tcp("syn")), 5) + built(v4(**udp(11211, 1)), 6)
    document = {**policy("amplification", "syn_cookies", dry_run=True), "amplifiers": ["11211"]}
    return document, frames, {"dry_run": 11}


SCENARIOS: Tuple[Callable[[], Scenario], ...] = (
    *(two_sources_of_which_one_is_too_fast, a_port_scan, a_service_that_is_closed, queries_of_a_game),
    *(a_connection_and_a_flood_of_acks, an_answer_and_what_nobody_asked_for),
    *(a_syn_ack_for_whom_asked_and_for_whom_not, answers_of_amplifiers, fragments_of_every_kind),
    *(a_flood_of_syns_from_everywhere, prefixes_for_all_and_of_a_policy, a_policy_on_trial),
)


def modelled(document: Dict[str, List[Any]], frames: Sequence[bytes]) -> Dict[str, int]:
    model = Scrubber(document)
    for frame in frames:
        model.judge(frame)
    return dict(model.verdicts)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_traffic_is_counted_as_the_model_says(namespaces: Factory, places: Places, scenario: Any) -> None:
    document, frames, expected = scenario()
    veth = quiet_veth(namespaces)

    def on_node() -> Dict[str, int]:
        attach(veth, document)
        return within_a_token(veth, frames) if "rate_limit" in expected else passed_through(veth, frames)

    assert modelled(document, frames) == expected
    assert veth.node.run(on_node) == expected


def within_a_token(veth: Veth, frames: Sequence[bytes], tries: int = 5) -> Dict[str, int]:
    """From full buckets, so fast that none gets a token back: else once more."""
    for dummy in range(tries):
        forget("buckets")
        before, began = counts(), time.monotonic()
        after = passed_through(veth, frames)
        if time.monotonic() - began < A_TOKEN:
            return {name: count - before.get(name, 0) for name, count in after.items()}
    return pytest.fail(f"{tries} times {len(frames)} frames took longer than {A_TOKEN} s")


def test_a_flow_that_was_idle_too_long_is_none(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    opened, more = built(v4(**tcp("syn"))) + built(v4(**tcp("ack"))), built(v4(**tcp("ack")))

    def on_node() -> List[Dict[str, int]]:
        attach(veth, policy("connections", established_timeout="10m"))
        seen = [passed_through(veth, opened)]
        assert age_flows(590) == 1
        seen.append(passed_through(veth, more))
        age_flows(610)
        seen.append(passed_through(veth, more))
        seen.append(passed_through(veth, opened))
        return seen

    assert veth.node.run(on_node) == [
        {"pass": 2},
        {"pass": 3},
        {"pass": 3, "no_connection": 1},
        {"pass": 5, "no_connection": 1},
    ]
