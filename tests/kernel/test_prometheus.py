# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus beside a real exporter: rates over reloads, the rules that ship, every query of the dashboard."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import urlsplit

from tests import prometheus
from tests.pipelines import REPOSITORY, next_scrubber
from tests.probes import requires, requires_bpf
from tests.prometheus import Prometheus
from tools.observability import dashboard
from wirespeed import cli
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .exporter_here import exporter
from .frames import send
from .map_health_cases import COUNTED, fill
from .map_health_cases import pipeline as flows_pipeline
from .netns import Factory, Netns, Veth
from .pipelines_here import Node, load_step, publish_step
from .scrubber_attached import attach, attached_scrubber, quiet_veth
from .test_exporter import CUSTOMERS, to

pytestmark = [requires_bpf, requires("clang", "ethtool", "prometheus_client")]

RULES = REPOSITORY / "roles/observability/files/wirespeed.rules.yml"
RELOADS, FRAMES = 20, 50


def beside(node: Netns, folder: Path, url: str) -> Prometheus:
    where = urlsplit(url).netloc
    targets = {"static_configs": [{"targets": [where], "labels": {"instance": "here"}}]}
    return Prometheus(folder, targets, [RULES], lambda argv: node.inside(*argv), node.run)


def swap(old: PipelineSource, new: PipelineSource) -> None:
    node = Node(old, new)
    if new.generation not in node.paths.generations("scrubber"):
        node.do(load_step(new))
    node.do(publish_step("scrubber", instance.published(node.paths, "scrubber"), new.generation))


def scraped_again(server: Prometheus) -> None:
    at = time.time()
    server.until(lambda: server.scraped_since(at))


def test_counts_stay_continuous_over_twenty_reloads(namespaces: Factory, places: Places, tmp_path: Path) -> None:
    veth = quiet_veth(namespaces)
    veth.node.run(attach, veth, {})
    builds = [attached_scrubber(), next_scrubber().with_constants({"with_outbound": True})]
    with exporter(veth.node) as url, beside(veth.node, tmp_path, url) as server:
        scraped_again(server)
        for number in range(RELOADS):
            veth.node.run(swap, builds[number % 2], builds[(number + 1) % 2])
            veth.wire.run(send, veth.wire_ifname, to(1, FRAMES))
            scraped_again(server)
        packets = 'wirespeed_verdict_packets_total{verdict="pass"}'
        assert server.number(packets) == RELOADS * FRAMES
        assert server.number(f"resets({packets}[10m])") == 0
        assert server.number("changes(wirespeed_pipeline_reload_epoch[10m])") == RELOADS
        assert server.number('sum(resets(wirespeed_nic_driver_packets_total{nic="ws0"}[10m]))') == 0
        assert server.value(f"rate({packets}[10m])")[0]["value"][1] != "0"


def test_a_map_filled_on_purpose_raises_its_alert_before_it_is_full(
    namespaces: Factory, places: Places, tmp_path: Path
) -> None:
    node, room = namespaces.netns(), 1000
    source = flows_pipeline(room=room, **COUNTED)
    Node(source).run(source)
    with exporter(node) as url, beside(node, tmp_path, url) as server:
        scraped_again(server)
        assert alerts(server) == []
        filled = 0
        while not alerts(server):
            assert filled < room, "it is full, and no alert was raised"
            fill(source, range(filled, filled + 100))
            filled += 100
            scraped_again(server)
            evaluated(server)
        assert filled < room
        raised = {(each["labels"]["alertname"], each["labels"]["map"]) for each in alerts(server)}
        assert ("WirespeedMapFilling", "flows") in raised


def alerts(server: Prometheus) -> List[Dict[str, Any]]:
    found = server.get("/api/v1/alerts")["alerts"]
    return [each for each in found if each["labels"].get("map") and each["state"] == "firing"]


def evaluated(server: Prometheus) -> None:
    at = time.time()

    def done() -> bool:
        groups = server.get("/api/v1/rules")["groups"]
        return all(prometheus._seconds(group["lastEvaluation"]) > at for group in groups)

    server.until(done)


def two_pipelines(veth: Veth) -> None:
    attach(veth, CUSTOMERS)
    small = flows_pipeline(room=1000, **COUNTED)
    Node(small).run(small)


def deliver(folder: Path) -> int:
    document = folder / "document.yml"
    document.write_text(json.dumps({"pipeline": "scrubber", "schema": 1, "tables": CUSTOMERS}))
    return cli.main(["config", "apply", str(document)])


def test_every_query_of_the_dashboard_has_an_answer(namespaces: Factory, places: Places, tmp_path: Path) -> None:
    veth, small = quiet_veth(namespaces), flows_pipeline(room=1000, **COUNTED)
    veth.node.run(two_pipelines, veth)
    with exporter(veth.node, "--entities", "--queues") as url, beside(veth.node, tmp_path, url) as server:
        scraped_again(server)
        assert veth.node.run(deliver, tmp_path) == 0
        veth.wire.run(send, veth.wire_ifname, to(1, FRAMES))
        veth.node.run(swap, attached_scrubber(), next_scrubber().with_constants({"with_outbound": True}))
        for number in range(3):
            veth.wire.run(send, veth.wire_ifname, to(1, FRAMES))
            fill(small, range(number * 10, number * 10 + 10))
            scraped_again(server)
        assert [query for query in map(filled_in, dashboard.queries()) if not server.value(query)] == []
        assert server.number("min(wirespeed_scrape_success)") == 1
        assert server.get("/api/v1/targets")["activeTargets"][0]["lastError"] == ""


def filled_in(query: str) -> str:
    """As Grafana sends it when everything is chosen."""
    for name in ("instance", "nic", "pipeline"):
        query = query.replace(f"${name}", ".*")
    return query.replace("$__rate_interval", "1m").replace("$__interval", "1m")
