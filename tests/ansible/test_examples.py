# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation is one that works: what can be run is run elsewhere (test_pages_run.py,
test_module_examples.py), and what is shown is what its reader would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List

import jsonschema
import pytest

from tests.documentation import commands, page, specs, yaml_examples

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PAGES += sorted((ROOT / "roles").glob("*/README.md"))
YAML = [block for each in PAGES for block in page.blocks(each) if block.language in ("yaml", "yml")]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("block", YAML, ids=lambda block: f"{_name(block.page)}-{block.line}")
def test_a_yaml_example_is_taken_by_what_reads_it(block: page.Block) -> None:
    assert yaml_examples.mistakes(block) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_the_commands_of_a_page_exist_and_take_these_arguments(path: Path) -> None:
    found: List[str] = [text for block in page.blocks(path) for text in commands.mistakes_in(block)]
    assert found + commands.named_in(path) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_a_page_says_of_each_terminal_whether_it_is_run(path: Path) -> None:
    known = {"run", "hardware", "shown", "title"}
    odd = [
        f"{block.place}: console {' '.join(block.words)}"
        for block in page.blocks(path)
        if block.language == "console" and not set(block.words) & known
    ]
    assert odd == [], "say ```console run, ```console hardware or ```console shown"


def test_a_state_that_a_page_names_is_one_that_there_is() -> None:
    named = {block.words["on"]: block.place for path in PAGES for block in page.blocks(path) if "on" in block.words}
    known = ("filter", "servers", "site")  # tests/documentation/states.py
    assert {name: place for name, place in named.items() if name not in known} == {}


@pytest.mark.parametrize("kind", ["module", "callback", "filter", "lookup"])
def test_examples_of_plugins_take_the_arguments_that_they_have(kind: str) -> None:
    for name, shown in specs.shown(kind).items():
        block = page.Block(Path(f"{name}.py"), 1, "yaml", shown["examples"] or "")
        assert yaml_examples.mistakes(block) == []


def test_the_deviation_that_the_page_on_drift_shows_is_one_of_its_schema() -> None:
    (block,) = (each for each in page.blocks(ROOT / "docs/drift.md") if each.language == "json")
    schema = json.loads((yaml_examples.ENGINE / "drift/schema.json").read_text(encoding="utf-8"))
    one = {"$ref": "#/$defs/deviation", "$defs": schema["$defs"]}
    jsonschema.validate(json.loads(block.text), one, cls=jsonschema.Draft202012Validator)
    assert set(json.loads(block.text)) == set(schema["$defs"]["deviation"]["properties"])


def test_the_plans_of_the_page_on_order_are_those_that_the_planner_is_held_to() -> None:
    held = [path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit/golden").glob("*/*.yml")]
    shown = [block for block in page.blocks(ROOT / "docs/order.md") if block.language == "yaml"]
    assert shown
    assert [block.place for block in shown if not any(block.text in text for text in held)] == []
