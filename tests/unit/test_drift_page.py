# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a drift report in a real browser: it fits, is quiet, filters, and takes all that hosts say as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from tests.browser import Browser, Page, browser, page
from tests.probes import requires
from wirespeed.drift import written
from wirespeed.drift.fleet import Report

from .drift_cases import HOSTILE, deviation, fleet, host, mixed

pytestmark = requires("chromium")

SHOWN = """[...new Set([...document.querySelectorAll("[data-host]")].filter(item => item.checkVisibility())
    .map(item => item.dataset.host))].sort()"""
CONTRAST = """(() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => { probe.clearRect(0, 0, 1, 1); probe.fillStyle = color; probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data]; };
  const light = (color) => { const [r, g, b] = rgb(color).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (item) => { for (; item; item = item.parentElement) {
    const color = getComputedStyle(item).backgroundColor; if (rgb(color)[3]) return color; } return "white"; };
  const weak = [];
  for (const item of document.querySelectorAll("body *")) {
    const own = [...item.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !item.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(item).color), light(behind(item))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push([item.tagName, item.className, item.textContent.slice(0, 30), ratio]);
  }
  return weak;
})()"""


REPORTS: Dict[str, Report] = {
    "plain": mixed(),
    "hostile": mixed(hostile=HOSTILE),
    "long": mixed(hostile="x" * 900),
    "many kinds": fleet(host("edge1", *(deviation(f"eth0.kind{each}.key", f"kind{each}") for each in range(60)))),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written_page(tmp_path, mixed())


def written_page(folder: Path, report: Report) -> Path:
    path = folder / "drift.html"
    written.write_page(path, report)
    return path


def shown(on: Page) -> List[str]:
    return list(on.run(SHOWN))


def choose(on: Page, name: str, value: str) -> None:
    """As a person does: the control gets the value and tells so."""
    control = f"document.forms[0].elements[{json.dumps(name)}]"
    on.run(f"{control}.value = {json.dumps(value)}; {control}.dispatchEvent(new Event('input', {{bubbles: true}}))")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1600])
@pytest.mark.parametrize("report", REPORTS)
def test_nothing_overflows_and_nothing_is_complained_of(
    chromium: Browser, tmp_path: Path, width: int, dark: bool, report: str
) -> None:
    path = written_page(tmp_path, REPORTS[report])
    with page(chromium, path, width=width, dark=dark) as on:
        assert on.run("document.documentElement.scrollWidth") == width
        assert on.complaints == [] and on.requests == [path.as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(chromium: Browser, file: Path, dark: bool) -> None:
    with page(chromium, file, dark=dark) as on:
        assert on.run(CONTRAST) == []


def test_light_and_dark_follow_the_system(chromium: Browser, file: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with page(chromium, file) as light, page(chromium, file, dark=True) as dark:
        assert light.run(paper) == "rgb(255, 255, 255)" and dark.run(paper) != light.run(paper)


def test_whatever_a_host_says_is_shown_as_text(chromium: Browser, tmp_path: Path) -> None:
    with page(chromium, written_page(tmp_path, mixed(hostile=HOSTILE))) as on:
        assert on.run("[...document.querySelectorAll('h3')].map(each => each.textContent)")[0] == HOSTILE
        assert on.run("document.querySelectorAll('script, img, style').length") == 2, "ours: a script and a style"
        assert HOSTILE in shown(on)
        assert on.complaints == []


FILTERS = {
    "driver": ("driver", "mlx5_core", ["edge2.example.net"]),
    "kernel": ("kernel", "6.1.0", ["edge2.example.net"]),
    "profile": ("profile", "generic + e1000e", ["lacks.example.net"]),
    "host": ("host", "EDGE", ["edge1.example.net", "edge2.example.net"]),
}


@pytest.mark.parametrize("case", FILTERS)
def test_a_filter_leaves_the_hosts_that_it_names(chromium: Browser, file: Path, case: str) -> None:
    name, value, left = FILTERS[case]
    with page(chromium, file) as on:
        choose(on, name, value)
        assert shown(on) == left
        assert on.run("document.getElementById('shown').textContent") == f"{len(left)} of 8 hosts"


def test_filters_work_together_and_are_taken_back(chromium: Browser, file: Path) -> None:
    with page(chromium, file) as on:
        everybody = shown(on)
        choose(on, "driver", "mlx5_core")
        choose(on, "host", "edge1")
        assert shown(on) == [] and on.run("document.getElementById('nothing').checkVisibility()")
        on.run("document.querySelector('[type=reset]').click(); new Promise(done => setTimeout(done))")
        assert shown(on) == everybody and len(everybody) == 8


def test_a_hostile_name_can_be_filtered_for(chromium: Browser, tmp_path: Path) -> None:
    with page(chromium, written_page(tmp_path, mixed(hostile=HOSTILE))) as on:
        choose(on, "driver", HOSTILE)
        assert shown(on) == [HOSTILE]


def test_without_javascript_all_is_there_but_the_filters(chromium: Browser, file: Path) -> None:
    with page(chromium, file) as with_scripts, page(chromium, file, scripts=False) as without:
        assert shown(without) == shown(with_scripts)
        assert with_scripts.run("document.getElementById('filters').checkVisibility()")
        assert not without.run("document.getElementById('filters').checkVisibility()")


def test_the_keyboard_reaches_filters_then_the_matrix_and_its_links(chromium: Browser, file: Path) -> None:
    focused: List[str] = []
    with page(chromium, file) as on:
        for _ in range(8):
            on.press("Tab", 9)
            focused.append(on.run("document.activeElement.name || document.activeElement.innerText.split('\\n')[0]"))
    assert focused[:5] == ["host", "driver", "kernel", "profile", "Show all"]
    assert focused[6:] == ["edge2.example.net", "edge1.example.net"]


def test_tables_and_headings_are_told_to_who_does_not_see_them(chromium: Browser, file: Path) -> None:
    with page(chromium, file) as on:
        assert on.run("document.querySelectorAll('h1').length") == 1
        assert on.run("[...document.querySelectorAll('h2')].map(each => each.id).slice(0, 5)") == [
            "overview",
            "drift",
            "unknown",
            "unsupported",
            "clean",
        ]
        assert on.run("document.querySelectorAll('th:not([scope])').length") == 0
        assert on.run("[...document.querySelectorAll('table')].every(each => each.hasAttribute('aria-labelledby'))")
        assert on.run("[...document.querySelectorAll('a')].every(each => document.querySelector(each.hash))")


def test_it_prints(chromium: Browser, file: Path) -> None:
    with page(chromium, file, dark=True) as on:
        assert on.printed().startswith(b"%PDF")
        chromium.call("Emulation.setEmulatedMedia", on.session, media="print")
        assert not on.run("document.getElementById('filters').checkVisibility()")
        assert on.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "also from the dark"


def test_a_clean_fleet_says_so_at_first_sight(chromium: Browser, tmp_path: Path) -> None:
    with page(chromium, written_page(tmp_path, fleet(host("a"), host("b")))) as on:
        assert on.run("document.querySelector('h1').innerText") == "2 hosts are as they should be"


def test_a_thousand_hosts_are_one_page(chromium: Browser, tmp_path: Path) -> None:
    hosts = [host(f"edge{number}", *([deviation()] if number % 3 else [])) for number in range(1000)]
    with page(chromium, written_page(tmp_path, fleet(*hosts))) as on:
        assert len(shown(on)) == 1000
        choose(on, "host", "edge99")
        assert len(shown(on)) == 11
        assert on.complaints == []
