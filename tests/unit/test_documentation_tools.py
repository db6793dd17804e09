# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds the documentation holds it: each part notices what it is there for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List

import pytest

from tests.documentation import commands, page, shown, yaml_examples

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from docsite import built, navigation, staging  # noqa: E402  (found by the line above)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("a\nb", "a\nb\n"),
        ("took ... s", "took 1.5 s"),
        ("a\n...\nd", "a\nb\nc\nd"),
        ("a\n...\nd", "a\nd"),
        ("...\nlast", "first\nlast\n\n"),
        ("1.5 (x)", "1.5 (x)  "),
    ],
)
def test_output_is_what_the_page_shows(expected: str, said: str) -> None:
    assert shown.differs(expected, said) == ""


@pytest.mark.parametrize(
    ("expected", "said"),
    [("a", "a\nb"), ("took ... s", "took 1.5 ms"), ("a\n...\nd", "a\nb"), ("1.5", "105"), ("a\nb", "b\na")],
)
def test_other_output_is_told(expected: str, said: str) -> None:
    assert shown.differs(expected, said)


def _blocks(tmp_path: Path, text: str) -> List[page.Block]:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return page.blocks(path)


def test_commands_go_on_and_end_where_output_begins(tmp_path: Path) -> None:
    (block,) = _blocks(tmp_path, "```console run\n$ one \\\n>   two\nsaid\n> shown\n$ three\n```\n")
    first, second = page.commands(block)
    assert (first.text, first.shown, first.place) == ("one \\\n  two", "said\n> shown", "page.md:2")
    assert (second.text, second.shown) == ("three", None)


def test_a_block_has_its_language_words_and_line(tmp_path: Path) -> None:
    fence, indented = _blocks(
        tmp_path, 'Text.\n\n```yaml title="a.yml" shown\nx: 1\n```\n\nMore:\n\n    wirespeed facts\n'
    )
    assert (fence.language, fence.title, sorted(fence.words), fence.line) == ("yaml", "a.yml", ["shown", "title"], 4)
    assert (indented.text, indented.language, indented.line) == ("wirespeed facts\n", "", 9)


@pytest.mark.parametrize(
    "line",
    [
        "wirespeed fax",
        "wirespeed plan",
        "wirespeed trace enp1s0 -w - | wirespeed nothing",
        "ssh node wirespeed config kompile a.yml",
        "make no-such-target",
        "make test TESTS=tests/nowhere",
        "make bench BENCHES='publish nothing'",
        "make test NOTHING=1",
        "ansible-playbook -i inventory.yml wirespeed.xdp.no_such",
    ],
)
def test_a_command_that_does_not_exist_is_told(tmp_path: Path, line: str) -> None:
    (block,) = _blocks(tmp_path, f"```console shown\n$ {line}\n```\n")
    assert len(commands.mistakes_in(block)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "wirespeed plan -f intent.yml    # what it would do",
        "sudo wirespeed facts > facts.txt",
        "wirespeed facts 2> /dev/null | grep igb",
        "make bench BENCHES='publish packet'",
        "A=1 make test TESTS=tests/unit",
        "ansible-playbook wirespeed.xdp.site --check",
        "tshark -r 'a file'",
    ],
)
def test_a_command_that_exists_is_not(tmp_path: Path, line: str) -> None:
    (block,) = _blocks(tmp_path, f"```console shown\n$ {line}\n```\n")
    assert commands.mistakes_in(block) == []


@pytest.mark.parametrize(
    "text",
    [
        "nics: [{name: a, colour: red}]",
        "pipeline: scrubber\ntables: {no_such: []}",
        "manifest: 1\nname: a\nversion: '1'\nentry: a\nmaps: {m: {role: nothing}}",
        "profile: a\nmatch: {driver: igb}\ntuning: {drop: {rings: {rxx: 1}}}",
        "all: {vars: {wirespeed_nicks: []}}",
        "tls_server_config: {cert_file: a.pem, key_file: a.key, min_version: TLS10}",
        "strange: 1",
        "a: [",
    ],
)
def test_an_example_that_its_reader_would_not_take_is_told(tmp_path: Path, text: str) -> None:
    (block,) = _blocks(tmp_path, f"```yaml\n{text}\n```\n")
    assert len(yaml_examples.mistakes(block)) == 1


def test_the_navigation_has_the_pages_that_are_there_and_all_of_them() -> None:
    nav = [{"Start": ["index.md", {"Later": "later.md"}]}, {"Gone": [{"A": "gone.md"}]}]
    assert navigation.fitted(nav, {"index.md", "new.md"}) == [{"Start": ["index.md"]}, {"More": ["new.md"]}]


def test_links_lead_to_pages_of_the_site_or_to_the_repository(tmp_path: Path) -> None:
    for name, text in {
        "README.md": "[a](docs/a.md#x) [b](LICENSE) `[c](docs/a.md)`\n",
        "docs/a.md": "[r](../roles/boot/README.md)\n\n```console run\n$ x\n```\n",
        "roles/boot/README.md": "",
        "CONTRIBUTING.md": "",
        "CHANGELOG.md": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    staging.stage(tmp_path, tmp_path / "site", {"role_boot.md": "made"}, "https://example.org")
    index = (tmp_path / "site/index.md").read_text(encoding="utf-8")
    assert index == "[a](a.md#x) [b](https://example.org/blob/main/LICENSE) `[c](docs/a.md)`\n"
    assert (tmp_path / "site/a.md").read_text(encoding="utf-8") == "[r](role_boot.md)\n\n```console\n$ x\n```\n"


def test_a_page_that_fetches_something_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<script src="https://example.org/x.js"></script>', encoding="utf-8")
    (tmp_path / "b.html").write_text('<a href="https://example.org/">x</a><code>```</code>', encoding="utf-8")
    (tmp_path / "c.html").write_text("<p>```yaml odd x: 1</p>", encoding="utf-8")
    assert [fault.split()[0] for fault in built.faults(tmp_path)] == ["a.html", "c.html"]
