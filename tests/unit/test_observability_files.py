# SPDX-License-Identifier: GPL-3.0-or-later
"""Alert rules and dashboard as they ship: Prometheus' own tool takes them, and each alert fires when it should."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests import prometheus
from tests.pipelines import REPOSITORY
from tools.observability import alerts, dashboard
from wirespeed.exporter import metrics

FILES = REPOSITORY / "roles/observability/files"
RULES = FILES / "wirespeed.rules.yml"


def test_promtool_takes_the_rules() -> None:
    checked = prometheus.promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(alerts.ALERTS)} rules found" in checked.stdout


def test_each_alert_fires_by_its_own_series_and_after_its_time(tmp_path: Path) -> None:
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump(alerts.tests(str(RULES))))
    tested = prometheus.promtool("test", "rules", str(path))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def names(expression: str) -> "set[str]":
    return set(re.findall(r"\bwirespeed_[a-z_]+", expression))


def test_alerts_and_panels_ask_for_metrics_that_there_are() -> None:
    known = set(metrics.by_name())
    for expression in [*(each.expression for each in alerts.ALERTS), *dashboard.queries()]:
        assert names(expression) <= known, expression


def test_the_dashboard_is_one_grafana_can_provision() -> None:
    shipped = json.loads((FILES / "wirespeed.dashboard.json").read_text())
    inside = [each for panel in shipped["panels"] for each in (panel, *panel.get("panels", ()))]
    assert len({panel["id"] for panel in inside}) == len(inside)
    assert shipped["uid"] and {each["name"] for each in shipped["templating"]["list"]} >= {"datasource", "instance"}
    for panel in inside:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= dashboard.WIDTH, panel["title"]
        assert panel["type"] == "row" or panel["targets"], panel["title"]


@pytest.mark.parametrize("alert", alerts.ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_what_to_do(alert: alerts.Alert) -> None:
    assert alert.severity in (alerts.CRITICAL, alerts.WARNING, alerts.INFO)
    assert "$labels" in alert.summary and alert.description.endswith(".")
