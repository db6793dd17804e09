# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture of ``wirespeed top`` shows of two readings."""

from __future__ import annotations

import io
from typing import Any, List, Tuple

from tests.probes import requires
from wirespeed.counters.table import Counter
from wirespeed.exporter import metrics as m
from wirespeed.exporter.metrics import Metric, Part
from wirespeed.exporter.samples import Entity, EntityCounts, Scrape
from wirespeed.top import view
from wirespeed.top.frame import Frame, frame

Sample = Tuple[Metric, Tuple[Any, ...], float]
PACKETS = m.PLAIN[Counter.DRIVER_PACKETS]
NIC: List[Sample] = [(m.NIC_INFO, ("eth1", "igb", "generic igb", "native", "edge"), 1), (m.NIC_UP, ("eth1",), 1)]


def scrape(*samples: Sample) -> Scrape:
    found = Scrape()
    for metric, labels, value in [*NIC, *samples]:
        found.samples.add(metric, labels, value)
    return found


def test_rates_are_by_the_second() -> None:
    found = frame(scrape((PACKETS, ("eth1",), 100)), scrape((PACKETS, ("eth1",), 300)), 2.0)
    assert found.nics[0].packets == 100.0


def test_what_a_driver_does_not_tell_is_not_zero() -> None:
    (row,) = frame(scrape(), scrape(), 1.0).nics
    assert (row.packets, row.nic_drop, row.actions["drop"], row.hottest) == (None, None, None, None)


def test_the_hottest_queue_has_its_share() -> None:
    queues = [(m.QUEUE_PACKETS, ("eth1", queue), count) for queue, count in (("0", 10), ("3", 30))]
    assert frame(scrape(), scrape(*queues), 1.0).nics[0].hottest == ("3", 0.75)


def test_the_busiest_verdict_is_first() -> None:
    verdicts = [(m.VERDICT_PACKETS, ("edge", name, "drop"), count) for name, count in (("few", 1), ("many", 50))]
    assert [row.verdict for row in frame(scrape(), scrape(*verdicts), 1.0).verdicts] == ["many", "few"]


def test_the_fullest_map_is_first_with_its_level() -> None:
    maps: List[Sample] = []
    for name, entries, level in (("roomy", 10, 0), ("tight", 95, 2)):
        maps += [(m.MAP_MAX, ("edge", name, "hash"), 100), (m.MAP_ENTRIES, ("edge", name, "hash"), entries)]
        maps.append((m.MAP_LEVEL, ("edge", name), level))
    found = frame(scrape(), scrape(*maps), 1.0).maps
    assert [(row.map, row.level) for row in found] == [("tight", "critical"), ("roomy", "ok")]


def test_a_reload_and_what_cannot_be_read_are_noted() -> None:
    before, after = scrape((m.PIPELINE_EPOCH, ("edge",), 1)), scrape((m.PIPELINE_EPOCH, ("edge",), 2))
    after.failed[Part.MAPS] = ["maps of pipeline edge: gone"]
    notes = frame(before, after, 1.0).notes
    assert notes == ("pipeline edge was published anew; its counters go on", "maps of pipeline edge: gone")


def entities(count: int) -> Scrape:
    found = scrape()
    found.entities = [EntityCounts("edge", ("customer", "policy"), (Entity(("601", "12"), "port", count, 0),))]
    return found


@requires("rich")
def test_a_picture_has_everything_in_it() -> None:
    after = entities(2500)
    for metric, labels, value in (
        (PACKETS, ("eth1",), 14_900_000),
        (m.NIC_DROPS, ("eth1", "host"), 3),
        (m.VERDICT_PACKETS, ("edge", "port", "drop"), 2500),
        (m.MAP_MAX, ("edge", "flows", "hash"), 100),
        (m.MAP_ENTRIES, ("edge", "flows", "hash"), 50),
    ):
        after.samples.add(metric, labels, value)
    text = printed(frame(entities(0), after, 1.0))
    for words in ("eth1", "14.9M", "edge", "port", "2.5k", "customer 601, policy 12", "flows", "50%", "over 1.0 s"):
        assert words in text, text


@requires("rich")
def test_a_node_without_pipelines_has_a_picture_too() -> None:
    assert "eth1" in printed(frame(scrape(), scrape(), 1.0))


def printed(found: Frame) -> str:
    rich, out = view.library(), io.StringIO()
    rich.console.Console(file=out, width=200).print(view.drawn(found, "edge1"))
    return out.getvalue()
