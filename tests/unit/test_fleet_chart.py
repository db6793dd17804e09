# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart in the documentation is of the figures that are kept beside the bench."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from bench import fleet_chart


def test_the_chart_is_that_of_the_kept_figures() -> None:
    drawn = fleet_chart.draw(json.loads(fleet_chart.FIGURES.read_text()))
    assert drawn == fleet_chart.CHART.read_text(), "python -m bench.fleet_chart draws it anew"


def test_it_says_in_words_what_it_shows() -> None:
    chart = ElementTree.fromstring(fleet_chart.CHART.read_text())
    said = chart.findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert "of 200 hosts" in said
