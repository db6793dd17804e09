# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/manifest.md names every key, and its examples are right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

from tests.pipelines import REPOSITORY
from wirespeed.pipeline.manifest import SCHEMA, load_manifest
from wirespeed.pipeline.packet import LAYERS, LONGEST, ONE_BUFFER, SHORTEST, frame

from .manifest_cases import HERE

PAGE = (REPOSITORY / "docs/manifest.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def _properties(schema: Any) -> Iterator[str]:
    for name, below in schema.get("properties", {}).items():
        yield name
        yield from _properties(below)
    for word in ("additionalProperties", "items"):
        if isinstance(schema.get(word), dict):
            yield from _properties(schema[word])


def _words(schema: Any) -> Iterator[str]:
    """Every word that a key can have as its value."""
    if isinstance(schema, dict):
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
        for below in schema.values():
            yield from _words(below)


READ = json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(_properties(READ)) | set(_words(READ))))
def test_every_key_and_word_of_the_schema_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_every_field_of_a_packet_is_named(layer: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{layer}` |"))
    missing = [name for name in LAYERS[layer] if f"`{name}`" not in row and f"{{{name}:" not in row]
    assert missing == []


@pytest.mark.parametrize("name", sorted(HERE["node"]))
def test_every_name_of_an_expression_is_told(name: str) -> None:
    assert f"`node.{name}`" in PAGE


@pytest.mark.parametrize("number", [SHORTEST, LONGEST, ONE_BUFFER])
def test_the_sizes_of_a_frame_are_those_of_the_code(number: int) -> None:
    assert f"{number:,}" in PAGE


def test_the_whole_example_is_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "edge.pipeline.yml"
    path.write_text(EXAMPLES[0])
    assert load_manifest(path).name == "edge"


@pytest.mark.parametrize("text", [text for text in EXAMPLES[1:] if text.startswith("tests:")])
def test_the_packets_of_the_page_build(text: str) -> None:
    for test in yaml.safe_load(text)["tests"]:
        frame(test["packet"], "packet")
