# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a pipeline's configuration, as the command line has them: diff, apply, show, history, rollback."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
import yaml

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed import cli
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .config_cases import MAPS, PLAIN, PROGRAM, SIDED, Configured
from .conftest import Places
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

POLICIES = """
struct policy { __u32 limit; char note[16]; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 30000);
	__type(key, __u32);
	__type(value, struct policy);
} policies SEC(".maps");
"""
POLICY = {"note": {"type": "text", "default": ""}, "limit": {"type": "rate"}, "policy": {"member": "key"}}
DOCUMENT: Dict[str, Any] = {
    "denied": ["192.0.2.0/24", "198.51.100.7"],
    "hosts": ["203.0.113.1"],
    "ports": [53],
    "policies": [
        {"policy": 12, "limit": "10kpps", "note": 'yes: "no" \u2028'},
        {"policy": 13, "limit": 1, "note": "off"},
    ],
}
CHANGED = {**DOCUMENT, "denied": ["192.0.2.0/25"], "policies": [{"policy": 12, "limit": "20kpps"}]}


MANIFEST = {
    "manifest": 1,
    "name": "small",
    "version": "1",
    "entry": "small",
    "maps": {**MAPS, "policies": {"role": "config", "table": "records", "fields": POLICY}},
}


def source() -> PipelineSource:
    return small(SIDED + PLAIN + POLICIES + PROGRAM, maps=MANIFEST["maps"])


@dataclass(frozen=True)
class Node:
    """A NIC that carries the pipeline, and a folder with documents."""

    veth: Veth
    folder: Path

    def write(self, tables: Any, name: str = "d.yml", **more: Any) -> str:
        (self.folder / name).write_text(yaml.safe_dump({"pipeline": "small", **more, "tables": tables}))
        return str(self.folder / name)

    def said(self, *words: str) -> Tuple[int, str]:
        """Exit code and what was printed, of ``wirespeed config WORDS``."""

        def on_node() -> Tuple[int, str]:
            out = io.StringIO()
            with redirect_stdout(out), redirect_stderr(out):
                code = cli.main(["config", *words])
            return code, out.getvalue()

        code, text = self.veth.node.run(on_node)
        return int(code), str(text)

    def json(self, *words: str) -> Dict[str, Any]:
        return dict(json.loads(self.said(*words, "--json")[1]))

    def delivered(self, tables: Any, *words: str) -> Dict[str, Any]:
        return self.json("apply", self.write(tables), *words)


@pytest.fixture
def node(veth: Veth, places: Places, tmp_path: Path) -> Node:
    veth.node.run(lambda: Configured(veth.ifname, source()) and None)
    return Node(veth, tmp_path)


def test_a_document_is_compiled_for_what_runs_and_delivered_once(node: Node) -> None:
    path = node.write(DOCUMENT)
    code, text = node.said("apply", path)
    assert code == 0 and "\nVersion 1 is live after nothing delivered (program_swap, " in text
    assert "denied: 2 added\n  + 192.0.2.0/24\n  + 198.51.100.7/32\n" in text
    code, text = node.said("apply", path)
    assert (code, text) == (0, "Nothing to do: version 1 is live.\n")


def test_check_and_diff_say_what_a_delivery_does_and_leave_it(node: Node) -> None:
    node.delivered(DOCUMENT)
    path = node.write(CHANGED)
    code, text = node.said("diff", path)
    assert code == 2
    assert '  ~ {"limit":"10kpps","note":"yes: \\"no\\" \u2028","policy":12} -> {"limit":"20kpps"' in text
    code, predicted = node.said("apply", path, "--check", "--json")
    assert code == 2 and node.json("history", "small")["version"] == 1
    assert node.json("apply", path) == json.loads(predicted)
    assert node.said("diff", path) == (0, "Nothing differs.\n")


def test_more_rows_than_a_screen_has_are_counted(node: Node) -> None:
    code, text = node.said("diff", node.write({"ports": list(range(1, 31))}))
    assert code == 2 and text.splitlines() == [
        "ports: 30 added",
        *(f"  + {port}" for port in range(1, 21)),
        "  + and 10 more",
    ]


def test_what_is_shown_is_a_document_that_changes_nothing(node: Node) -> None:
    node.delivered(DOCUMENT)
    (node.folder / "shown.yml").write_text(node.said("show", "small")[1])
    assert not node.json("apply", str(node.folder / "shown.yml"))["changed"]
    node.delivered(CHANGED)
    assert node.json("apply", str(node.folder / "shown.yml"))["version"] == 3


def test_a_table_too_long_for_a_document_is_written_to_files_beside_it(node: Node) -> None:
    rows = [{"policy": number, "limit": number, "note": str(number)} for number in range(25_000)]
    (node.folder / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    node.delivered({**DOCUMENT, "policies": {"file": "p.jsonl"}})
    path = str(node.folder / "all.yml")
    code, text = node.said("show", "small", "-o", path)
    assert code == 0 and text.splitlines()[-1] == path
    assert not node.json("apply", path)["changed"]
    assert yaml.safe_load(Path(path).read_text())["tables"]["policies"] == {"file": "all.policies.jsonl"}
    assert (Path(path).stat().st_mode & 0o777) == 0o600


def test_one_table_is_shown_alone(node: Node) -> None:
    node.delivered(DOCUMENT)
    shown = node.json("show", "small", "--table", "hosts")
    assert (shown["version"], shown["tables"]) == (1, {"hosts": ["203.0.113.1"]})
    code, text = node.said("show", "small", "--table", "host")
    assert code == 1 and "'host' is no table of small. It has: " in text


def test_what_others_wrote_is_shown_and_put_back(node: Node) -> None:
    node.delivered(DOCUMENT)

    def meddle() -> None:
        paths = Paths.from_environment()
        generation = instance.published(paths, "small")
        assert generation is not None
        with instance.open_table(paths, "small", generation, "hosts") as found:
            found.update(bytes([203, 0, 113, 9]), b"\1")

    node.veth.node.run(meddle)
    code, text = node.said("show", "small", "--summary")
    assert code == 0 and text.endswith("hosts: 1 added\n  + 203.0.113.9\n")
    assert node.delivered(DOCUMENT)["tables"]["hosts"]["rows"]["removed"] == ["203.0.113.9"]
    assert node.json("show", "small")["drift"] == {}


def test_a_bundle_is_delivered_as_its_document_is(node: Node) -> None:
    (node.folder / "small.pipeline.yml").write_text(yaml.safe_dump(MANIFEST))
    (node.folder / "small.bpf.o").write_bytes(source().object_bytes)
    path, bundle = node.write(DOCUMENT), str(node.folder / "d.bundle")
    assert node.said("compile", path, "--manifest", "small.pipeline.yml", "-o", bundle)[0] == 0
    assert node.json("apply", bundle)["changed"]
    assert not node.json("apply", path)["changed"]
    assert not node.json("apply", path, "--manifest", "small.pipeline.yml")["changed"]


def test_a_delivery_on_a_version_that_is_not_live_any_more_is_refused(node: Node) -> None:
    node.delivered(DOCUMENT, "--expect-version", "0")
    code, text = node.said("apply", node.write(CHANGED), "--expect-version", "0")
    assert code == 1 and "Version 0 of the configuration of small was expected, but version 1 is live" in text
    assert node.delivered(DOCUMENT, "--expect-version", "0")["changed"] is False
    assert node.delivered(CHANGED, "--expect-version", "1")["version"] == 2


def test_history_tells_each_delivery_and_a_rollback_is_one(node: Node) -> None:
    node.delivered(DOCUMENT, "--strategy", "entry")
    node.delivered(CHANGED, "--strategy", "entry")
    assert node.said("rollback", "small", "--check")[0] == 2
    assert node.json("rollback", "small")["version"] == 3
    assert not node.json("rollback", "small")["changed"]
    told = node.json("history", "small")
    assert [(each["version"], each["rollback_to"]) for each in told["deliveries"]] == [(3, 1), (2, None), (1, None)]
    first, dummy, second = node.said("history", "small")[1].splitlines()[:3]
    assert first.startswith("*    3  2") and ": back to version 1, " in first
    assert second.startswith("     2  2") and second.endswith(", kept")
    assert node.json("rollback", "small", "--to", "2")["version"] == 4


def test_a_mistake_says_file_and_line_and_changes_nothing(node: Node) -> None:
    (node.folder / "bad.yml").write_text("pipeline: small\ntables:\n  hosts:\n    - 203.0.113.1\n    - 203.0.113\n")
    code, text = node.said("apply", str(node.folder / "bad.yml"))
    assert code == 1 and f"{node.folder}/bad.yml:5: table hosts, row 2: '203.0.113' is no IPv4 address" in text
    assert node.json("history", "small")["version"] == 0


def test_a_document_for_no_pipeline_of_this_node_says_what_to_do(node: Node) -> None:
    (node.folder / "other.yml").write_text("pipeline: other\n")
    code, text = node.said("apply", str(node.folder / "other.yml"))
    assert (
        code == 1 and "other.yml:1: pipeline: no pipeline 'other' runs on this node. There are: small. Attach" in text
    )
