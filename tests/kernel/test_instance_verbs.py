# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on pipelines that are there, as the command line has them: list, rollback, gc, adopt, detach."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from tests.pipelines import bundle_of, next_scrubber, scrubber
from tests.probes import requires
from wirespeed import cli, engine, stored
from wirespeed.pipeline.pins import Paths

from .conftest import Places
from .netns import Veth, command

pytestmark = [requires("bpf", "clang")]

OLD, NEW = "192.0.2.0/24", "203.0.113.0/24"


def converge(veth: Veth, source: Any, *rows: str, **asked: Any) -> Dict[str, Any]:
    pipelines = [{"name": "scrubber", "tables": {"deny_v4": list(rows)}, **asked}]
    intent = {"nics": [{"name": "ws0", "pipeline": "scrubber"}], "pipelines": pipelines}
    return dict(veth.node.run(engine.converge, intent, bundle_of(source), False))


def said(veth: Veth, *words: str) -> Tuple[int, str]:
    """Exit code and what was printed, of ``wirespeed pipeline WORDS``."""

    def on_node() -> Tuple[int, str]:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = cli.main(["pipeline", *words])
        return code, out.getvalue()

    code, text = veth.node.run(on_node)
    return int(code), str(text)


def listed(veth: Veth) -> Dict[str, Any]:
    return dict(json.loads(said(veth, "list", "--json")[1]))


def live(veth: Veth) -> str:
    (pipeline,) = listed(veth)["pipelines"]
    return next(str(each["generation"]) for each in pipeline["generations"] if each["published"])


def two_versions(veth: Veth, **asked: Any) -> None:
    converge(veth, scrubber(), OLD, **asked)
    converge(veth, next_scrubber(), NEW, **asked)


def test_a_list_names_generations_and_nics_and_marks_what_runs(veth: Veth, places: Places) -> None:
    two_versions(veth)
    lines = said(veth, "list")[1].splitlines()
    assert lines[0] == "scrubber: behind a root, on ws0"
    assert lines[1].startswith(f"  * {next_scrubber().generation}  version 0.1.1, loaded 2")
    assert lines[2].startswith(f"  - {scrubber().generation}  version 0.1.0, loaded 2")


@pytest.mark.parametrize("attach", ["root", "direct"])
def test_a_rollback_brings_back_code_and_rows_at_once(veth: Veth, places: Places, attach: str) -> None:
    two_versions(veth, attach=attach)
    assert said(veth, "rollback", "scrubber", "--check")[0] == 2
    assert live(veth) == next_scrubber().generation
    code, text = said(veth, "rollback", "scrubber")
    assert code == 0 and "test" not in text and live(veth) == scrubber().generation
    found = veth.node.run(engine.facts, ["ws0"], None)["instances"]
    assert next(each["tables"]["deny_v4"] for each in found if each["published"]) == [OLD]


def test_a_second_rollback_without_a_name_does_not_go_forward_again(veth: Veth, places: Places) -> None:
    two_versions(veth)
    said(veth, "rollback", "scrubber")
    code, text = said(veth, "rollback", "scrubber")
    assert code == 0 and "was rolled back to" in text and live(veth) == scrubber().generation
    said(veth, "rollback", "scrubber", next_scrubber().generation[:6])
    assert live(veth) == next_scrubber().generation


def test_a_generation_that_is_not_there_is_told_with_those_that_are(veth: Veth, places: Places) -> None:
    two_versions(veth)
    code, text = said(veth, "rollback", "scrubber", "nope")
    assert code == 1 and "'nope' is no generation of scrubber." in text and scrubber().generation in text
    code, text = said(veth, "rollback", "edge")
    assert code == 1 and "there is no pipeline 'edge' on this node. There are: scrubber." in text


def test_the_next_boot_brings_back_what_was_rolled_back_to(veth: Veth, places: Places) -> None:
    two_versions(veth)
    said(veth, "rollback", "scrubber")
    kept = stored.read(Paths.from_environment())
    assert kept is not None
    (pipeline,) = kept.pipelines
    assert pipeline.bundled["manifest"]["version"] == "0.1.0" and pipeline.asked is not None
    assert {name: rows for name, rows in pipeline.asked["tables"].items() if rows} == {"deny_v4": [OLD]}


def test_collecting_removes_what_its_check_has_named(veth: Veth, places: Places) -> None:
    two_versions(veth)
    assert said(veth, "gc", "--keep", "0", "--check") == (2, f"scrubber/{scrubber().generation}\n")
    assert said(veth, "gc", "--keep", "0")[0] == 0
    assert [each["generation"] for each in listed(veth)["pipelines"][0]["generations"]] == [next_scrubber().generation]


def test_what_was_never_completed_is_an_orphan_until_it_is_collected(veth: Veth, places: Places) -> None:
    two_versions(veth)
    left = places.bpffs / "wirespeed/scrubber/0123456789ab~new"
    left.mkdir()
    assert [str(left) in orphan for orphan in listed(veth)["orphans"]] == [True]
    said(veth, "gc")
    assert listed(veth)["orphans"] == [] and not left.exists()


def test_detached_from_its_last_nic_a_pipeline_leaves_nothing(veth: Veth, places: Places) -> None:
    two_versions(veth)
    assert said(veth, "detach", "scrubber", "--check")[0] == 2 and "xdp" in veth.node.links()["ws0"]
    assert said(veth, "detach", "scrubber")[0] == 0
    assert "xdp" not in veth.node.links()["ws0"] and not (places.bpffs / "wirespeed").exists()
    assert said(veth, "list") == (0, "No pipeline is loaded.\n")
    assert said(veth, "detach", "scrubber") == (0, "Nothing to do: the node is as wanted.\n")
    kept = stored.read(Paths.from_environment())
    assert kept is not None and kept.pipelines == ()


def test_a_program_of_iproute_is_adopted_rolled_back_to_and_taken_off(
    veth: Veth, places: Places, tmp_path: Path
) -> None:
    built = tmp_path / "other.bpf.o"
    built.write_bytes(next_scrubber("0.0.9").object_bytes)
    veth.node.ip("link", "set", "ws0", "xdpdrv", "object", str(built), "section", "xdp")
    foreign = veth.node.links()["ws0"]["xdp"]["prog"]["id"]
    code, text = said(veth, "adopt", "ws0", "scrubber")
    assert code == 0 and live(veth) == scrubber().generation, text
    assert [nic["name"] for nic in listed(veth)["pipelines"][0]["nics"]] == ["ws0"]
    said(veth, "rollback", "scrubber")
    assert live(veth).startswith("ad")
    entry = next(places.bpffs.glob("wirespeed/scrubber/ad*/progs/*"))
    assert f'"id":{foreign},' in command("bpftool", "-j", "prog", "show", "pinned", str(entry))
    said(veth, "detach", "scrubber")
    assert "xdp" not in veth.node.links()["ws0"] and not (places.bpffs / "wirespeed").exists()
