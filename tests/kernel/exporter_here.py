# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter as a process in a node's namespace, and what a scrape of it says, by Prometheus' own parser."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import Any, Dict, FrozenSet, Iterator, Tuple

from tests.pipelines import REPOSITORY

from .netns import Netns

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
Key = Tuple[str, FrozenSet[Tuple[str, str]]]
_CODE = "import sys; from wirespeed.cli import main; sys.exit(main(sys.argv[1:]))"


@contextmanager
def exporter(node: Netns, *options: str) -> Iterator[str]:
    """Its address, once it answers."""
    argv = [sys.executable, "-c", _CODE, "exporter", "--listen", "127.0.0.1:0", "--every", "0", *options]
    path = str(REPOSITORY / "plugins/module_utils")
    process = subprocess.Popen(
        node.inside(*argv), stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Metrics are on "), line
        yield line.split()[-1]
    finally:
        process.terminate()
        assert process.wait(30) == 0
        if process.stdout is not None:
            process.stdout.close()


def scraped(node: Netns, url: str) -> Dict[Key, float]:
    """Samples by name and labels."""
    return samples(node.run(fetched, url, OPEN_METRICS))


def fetched(url: str, accept: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith(accept.split(";")[0])
        return str(answer.read().decode())


def samples(text: str) -> Dict[Key, float]:
    from prometheus_client.openmetrics import parser

    found: Dict[Key, float] = {}
    for family in parser.text_string_to_metric_families(text):
        for each in family.samples:
            key = (each.name, frozenset(each.labels.items()))
            assert key not in found, f"{key} stands twice"
            found[key] = each.value
    return found


def value(found: Dict[Key, float], name: str, **labels: Any) -> float:
    """Of the one sample with these labels and perhaps others."""
    wanted = {(key, str(each)) for key, each in labels.items()}
    matching = [number for (each, said), number in found.items() if each == name and wanted <= said]
    assert len(matching) == 1, f"{len(matching)} samples are {name} {labels}"
    return matching[0]


def labels_of(found: Dict[Key, float], name: str) -> "list[Dict[str, str]]":
    return [dict(said) for each, said in found if each == name]
