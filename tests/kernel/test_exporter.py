# SPDX-License-Identifier: GPL-3.0-or-later
"""Scrapes of a real exporter: frames sent are frames told, over reloads and rings that are made again; who may ask."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.pipelines import next_scrubber, small
from tests.probes import requires, requires_bpf
from tests.unit.test_exporter import certificate
from wirespeed.model.nic import XdpMode
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .exporter_here import exporter, fetched, labels_of, scraped, value
from .frames import send
from .map_health_cases import COUNTED, fill
from .map_health_cases import pipeline as flows_pipeline
from .netns import Factory, Veth
from .pipelines_here import Node, attach_step, load_step, publish_step
from .scrubber_attached import attach, attached_scrubber, built, passed_through, quiet_veth

pytestmark = [requires_bpf, requires("clang", "ethtool", "prometheus_client")]

CUSTOMERS: Dict[str, List[Any]] = {
    "customers_v4": [
        {"prefix": f"203.0.113.{number}/32", "customer": 600 + number, "policy": number} for number in (1, 2, 3)
    ],
    "policies": [{"policy": number, "countermeasures": ["ports"]} for number in (1, 2, 3)],
    "deny_v4": ["192.0.2.0/24"],
}
_COUNTING = """
#include "wirespeed.h"
WS_VERDICTS(%d);
SEC("xdp") int small(struct xdp_md *ctx)
{
	return ws_verdict(ctx, 0, XDP_DROP);
}
char _license[] SEC("license") = "GPL";
"""


def to(customer: int, times: int) -> List[bytes]:
    return built({"ipv4": {"source": "198.51.100.9", "destination": f"203.0.113.{customer}"}, "udp": {}}, times)


def test_frames_sent_are_frames_told(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    veth.node.run(attach, veth, CUSTOMERS)
    with exporter(veth.node, "--entities", "--queues") as url:
        before = value(scraped(veth.node, url), "wirespeed_nic_driver_packets_total", nic=veth.ifname)
        denied = built({"ipv4": {"source": "192.0.2.9"}, "udp": {}}, 7)
        veth.node.run(passed_through, veth, [*denied, *to(1, 5), *to(2, 3)])
        found = scraped(veth.node, url)
    assert value(found, "wirespeed_verdict_packets_total", verdict="deny_prefix_v4", action="drop") == 7
    assert value(found, "wirespeed_verdict_packets_total", verdict="port", action="drop") == 8
    assert value(found, "wirespeed_verdict_bytes_total", verdict="port") == sum(map(len, [*to(1, 5), *to(2, 3)]))
    assert value(found, "wirespeed_nic_driver_packets_total", nic=veth.ifname) - before == 15
    assert value(found, "wirespeed_nic_queue_xdp_action_packets_total", nic=veth.ifname, queue=0, action="drop") == 15
    assert value(found, "wirespeed_nic_xdp_action_packets_total", nic=veth.ifname, action="drop") == 15
    assert value(found, "wirespeed_entity_packets_total", customer=601, policy=1, verdict="port") == 5
    assert value(found, "wirespeed_entity_packets_total", customer=602, policy=2, verdict="port") == 3
    assert value(found, "wirespeed_pipeline_nics", pipeline="scrubber") == 1
    assert value(found, "wirespeed_nic_info", nic=veth.ifname, driver="veth", pipeline="scrubber", mode="native") == 1
    assert value(found, "wirespeed_map_entries", map="deny_v4") == 1
    assert all(value(found, "wirespeed_scrape_success", part=part) == 1 for part in ("nics", "pipelines", "maps"))


def test_without_being_asked_there_is_nothing_by_queue_or_entity(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    veth.node.run(attach, veth, CUSTOMERS)
    veth.node.run(passed_through, veth, to(1, 5))
    with exporter(veth.node) as url:
        names = {name for name, dummy in scraped(veth.node, url)}
    assert not {name for name in names if "queue" in name or "entity" in name or "expired" in name}


def test_entities_beyond_the_cap_are_counted_as_left_out(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    veth.node.run(attach, veth, CUSTOMERS)
    with exporter(veth.node, "--entities", "--max-entities", "2") as url:
        veth.node.run(passed_through, veth, [*to(1, 5), *to(2, 3)])
        scraped(veth.node, url)
        veth.node.run(passed_through, veth, to(3, 50))
        found = scraped(veth.node, url)
    shown = {each["customer"] for each in labels_of(found, "wirespeed_entity_packets_total")}
    assert shown == {"601", "602"}  # who has a place keeps it
    assert value(found, "wirespeed_scrape_capped_series", part="entities") == 1


def reload(new: PipelineSource) -> None:
    old = attached_scrubber()
    Node(old, new).do(load_step(new), publish_step("scrubber", old.generation, new.generation))


def test_a_reload_goes_on_counting_and_moves_the_epoch(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    veth.node.run(attach, veth, {})
    with exporter(veth.node) as url:
        veth.node.run(passed_through, veth, to(1, 5))
        before = scraped(veth.node, url)
        veth.node.run(reload, next_scrubber().with_constants({"with_outbound": True}))
        veth.wire.run(send, veth.wire_ifname, to(1, 4))
        after = scraped(veth.node, url)
    counted = [value(each, "wirespeed_verdict_packets_total", verdict="pass") for each in (before, after)]
    epochs = [value(each, "wirespeed_pipeline_reload_epoch") for each in (before, after)]
    versions = [labels_of(each, "wirespeed_pipeline_info")[0]["version"] for each in (before, after)]
    assert (counted, epochs, versions) == ([5, 9], [1, 2], ["0.1.0", "0.1.1"])


def counting(verdicts: int) -> PipelineSource:
    """A pipeline with so many verdicts, of which it gives the first. Another number makes another map."""
    named = [{"name": f"verdict_{'abc'[number]}", "action": "drop"} for number in range(verdicts)]
    maps = {"verdicts": {"role": "stats", "on_layout_change": "reset"}}
    return small(_COUNTING % verdicts, version=str(verdicts), maps=maps, verdicts=named)


def test_a_map_that_a_reload_resets_does_not_set_the_counter_back(namespaces: Factory, places: Places) -> None:
    veth = quiet_veth(namespaces)
    old, new = counting(1), counting(2)

    def begin() -> None:
        node = Node(old)
        node.do(load_step(old), publish_step("small", None, old.generation))
        node.do(attach_step(veth.ifname, "small", XdpMode.NATIVE))

    def again() -> None:
        Node(old, new).do(load_step(new), publish_step("small", old.generation, new.generation))

    veth.node.run(begin)
    with exporter(veth.node) as url:
        veth.wire.run(send, veth.wire_ifname, to(1, 5))
        first = value(scraped(veth.node, url), "wirespeed_verdict_packets_total", verdict="verdict_a")
        veth.node.run(again)
        veth.wire.run(send, veth.wire_ifname, to(1, 9))
        second = value(scraped(veth.node, url), "wirespeed_verdict_packets_total", verdict="verdict_a")
    assert (first, second) == (5, 14)


def test_channels_that_are_set_anew_do_not_set_counters_back(namespaces: Factory, places: Places) -> None:
    veth: Veth = namespaces.veth(queues=4)
    for where, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        where.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    with exporter(veth.node, "--nic", veth.ifname) as url:
        veth.wire.run(send, veth.wire_ifname, to(1, 5))
        before = value(scraped(veth.node, url), "wirespeed_nic_driver_packets_total", nic=veth.ifname)
        veth.node.command("ethtool", "-L", veth.ifname, "rx", "2", "tx", "2")
        veth.wire.run(send, veth.wire_ifname, to(1, 6))
        after = value(scraped(veth.node, url), "wirespeed_nic_driver_packets_total", nic=veth.ifname)
    assert after - before == 6


def test_a_map_that_fills_raises_its_level_and_tells_who_found_no_room(namespaces: Factory, places: Places) -> None:
    node = namespaces.netns()
    source = flows_pipeline(room=100, **COUNTED)
    Node(source).run(source)
    with exporter(node, "--walk") as url:
        scraped(node, url)
        fill(source, range(80))
        found = scraped(node, url)
    assert value(found, "wirespeed_map_level", map="flows") == 1
    assert value(found, "wirespeed_map_entries", map="flows") == 80
    assert value(found, "wirespeed_map_full_in_seconds", map="flows") > 0
    assert value(found, "wirespeed_map_update_failures_total", map="flows") == 0
    assert value(found, "wirespeed_map_expired_entries", map="flows") == 0


def test_a_part_that_cannot_be_read_is_told_and_the_others_are_there(namespaces: Factory, places: Places) -> None:
    node = namespaces.netns()
    source = flows_pipeline()
    Node(source).run(source)
    stored = next((places.state / "objects").glob("*.bpf.o"))
    for each in (places.state / "objects").glob("*.bpf.o"):
        each.unlink()
    assert not stored.exists()
    with exporter(node) as url:
        found = scraped(node, url)
    assert value(found, "wirespeed_scrape_success", part="maps") == 0
    assert value(found, "wirespeed_scrape_success", part="pipelines") == 1
    assert value(found, "wirespeed_pipeline_info", pipeline="small") == 1


def test_the_text_format_for_those_who_do_not_ask_for_another(namespaces: Factory, places: Places) -> None:
    node = namespaces.netns()
    with exporter(node) as url:
        text = node.run(fetched, url, "text/plain")
    assert "# TYPE wirespeed_scrapes_total counter" in text


def answer(url: str, header: str = "", authority: str = "") -> int:
    context = ssl.create_default_context(cafile=authority) if authority else None
    asked = urllib.request.Request(url, headers={"Authorization": header} if header else {})
    try:
        with urllib.request.urlopen(asked, timeout=30, context=context) as got:
            return int(got.status)
    except urllib.error.HTTPError as refused:
        return int(refused.code)


@requires("bcrypt")
def test_tls_and_a_password(namespaces: Factory, places: Places, tmp_path: Path) -> None:
    import bcrypt

    node = namespaces.netns()
    certificate(tmp_path, "node")
    stored = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(
        "tls_server_config: {cert_file: node.pem, key_file: node.key, min_version: TLS13}\n"
        f"basic_auth_users: {{scraper: '{stored}'}}\n"
    )
    good = "Basic " + base64.b64encode(b"scraper:secret").decode()
    authority = str(tmp_path / "node.pem")
    with exporter(node, "--web-config", str(config)) as url:
        assert url.startswith("https://")
        told = [node.run(answer, url, header, authority) for header in (good, "", "Basic c2NyYXBlcjp3cm9uZw==")]
        with pytest.raises((urllib.error.URLError, OSError)):
            node.run(answer, url.replace("https", "http"), good)
        told.append(node.run(answer, url, good, authority))  # a client without TLS did not stop it
    assert told == [200, 401, 401, 200]


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/metrics", 200), ("/other", 404)])
def test_pages(namespaces: Factory, places: Places, path: str, status: int) -> None:
    node = namespaces.netns()
    with exporter(node) as url:
        assert node.run(answer, url.replace("/metrics", path)) == status
