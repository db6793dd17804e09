# SPDX-License-Identifier: GPL-3.0-or-later
"""After a boot the node is what it was, from its own disk alone; after an uninstall nothing of ours is left."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.probes import requires
from wirespeed import cli, engine
from wirespeed.apply.lock import node_lock
from wirespeed.gather import gather

from . import bpf_objects
from .bpf_objects import BpfObject
from .conftest import Places
from .netns import Factory, Netns, Veth, command

pytestmark = [requires("bpf")]

DENIED = ["192.0.2.0/24", "198.51.100.7/32"]
PIPELINES = [{"name": "scrubber", "tables": {"deny_v4": DENIED}}]


def wanted(*nics: Dict[str, Any]) -> Dict[str, Any]:
    return {"nics": list(nics), "pipelines": PIPELINES if any("pipeline" in nic for nic in nics) else []}


def ws(name: str = "ws0", **nic: Any) -> Dict[str, Any]:
    return {"name": name, "pipeline": "scrubber", **nic}


def converge(node: Netns, intent: Dict[str, Any]) -> Dict[str, Any]:
    return dict(node.run(engine.converge, intent, gather(intent["pipelines"], [], Path.cwd()), False))


def drift(node: Netns, intent: Dict[str, Any]) -> List[str]:
    found = node.run(engine.converge, intent, gather(intent["pipelines"], [], Path.cwd()), True)
    return [each["path"] for each in found["deviations"]]


def told(node: Netns, *words: str) -> Tuple[int, Dict[str, Any]]:
    """Exit code of a verb, and what it says as JSON."""
    code, said, _error = node.run(_main, [*words, "--json"])
    return code, json.loads(said)


def _main(words: List[str]) -> Tuple[int, str, str]:
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return code, out.getvalue(), err.getvalue()


def wipe(places: Places) -> None:
    """What a reboot takes: pins and the run folder."""
    subprocess.run(["umount", str(places.bpffs)], check=True)
    command("mount", "-t", "bpf", "bpf", str(places.bpffs))
    shutil.rmtree(places.run)
    places.run.mkdir(mode=0o700)


def reboot(namespaces: Factory, places: Places, queues: int = 4) -> Veth:
    """Other interfaces of the same names, an empty bpffs, no run folder."""
    namespaces.remove()
    wipe(places)
    return namespaces.veth(queues=queues)


def left(places: Places) -> List[str]:
    return [str(path) for path in (places.bpffs / "wirespeed", places.run, places.state) if path.exists()]


def test_a_boot_brings_back_settings_pipeline_and_rows(namespaces: Factory, places: Places) -> None:
    intent = wanted(ws(tuning={"channels": {"rx": 4, "tx": 2}, "mtu": {"mtu": 1400}}))
    converge(namespaces.veth(queues=4).node, intent)
    booted = reboot(namespaces, places)
    code, said = told(booted.node, "restore")
    assert code == 0 and said["changed"] and said["missing"] == said["failed"] == []
    assert booted.node.links()["ws0"]["xdp"]["mode"] == 1
    assert drift(booted.node, intent) == []


def test_a_second_restore_changes_nothing(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    before = veth.node.links()["ws0"]["xdp"]
    code, said = told(veth.node, "restore")
    assert code == 0 and not said["changed"] and said["steps"] == []
    assert veth.node.links()["ws0"]["xdp"] == before


def test_where_nothing_is_stored_it_says_so(veth: Veth, places: Places) -> None:
    code, said, _error = veth.node.run(_main, ["restore"])
    assert code == 0 and said == f"Nothing to restore: no run has stored anything in {places.state}/desired.json.\n"


def test_two_intents_for_different_nics_are_both_brought_back(namespaces: Factory, places: Places) -> None:
    def pair() -> Netns:
        node = namespaces.veth(queues=4).node
        node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "ws2")
        return node

    node = pair()
    converge(node, wanted(ws()))
    converge(node, wanted({"name": "ws1", "tuning": {"mtu": {"mtu": 1400}}}))
    namespaces.remove()
    wipe(places)
    node = pair()
    assert told(node, "restore")[0] == 0
    links = node.links()
    assert "xdp" in links["ws0"] and "xdp" not in links["ws1"] and links["ws1"]["mtu"] == 1400


def test_check_mode_stores_nothing(veth: Veth, places: Places) -> None:
    drift(veth.node, wanted(ws()))
    assert list(places.state.iterdir()) == []


def test_a_nic_that_does_not_come_is_told_and_the_others_are_brought_back(namespaces: Factory, places: Places) -> None:
    node = namespaces.veth(queues=4).node
    node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "ws2")
    converge(node, wanted(ws(), ws("ws1")))
    booted = reboot(namespaces, places)
    code, said = told(booted.node, "restore", "--wait", "0")
    assert (code, said["missing"], said["failed"]) == (1, ["ws1"], [])
    assert "xdp" in booted.node.links()["ws0"]


def test_a_nic_that_comes_late_is_waited_for(namespaces: Factory, places: Places) -> None:
    converge(namespaces.veth(queues=4).node, wanted(ws()))
    namespaces.remove()
    wipe(places)
    late = namespaces.veth(queues=4, ifname="eth7").node
    code, said = late.run(_restore_while, lambda: renamed(late, "eth7", "ws0"))
    assert (code, said["missing"]) == (0, []) and "xdp" in late.links()["ws0"]


def test_what_goes_with_the_interface_is_written_when_it_is_up(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws(tuning={"mtu": {"mtu": 1400}})))
    veth.node.ip("link", "set", "ws0", "down")

    def changed_and_up() -> None:
        veth.node.ip("link", "set", "ws0", "mtu", "1300")
        veth.node.ip("link", "set", "ws0", "up")

    assert veth.node.run(_restore_while, changed_and_up, "--up")[0] == 0
    assert veth.node.links()["ws0"]["mtu"] == 1400


def renamed(node: Netns, name: str, then: str) -> None:
    """As udev does."""
    node.ip("link", "set", name, "down")
    node.ip("link", "set", name, "name", then)
    node.ip("link", "set", then, "up")


def _restore_while(event: Callable[[], None], *words: str) -> Tuple[int, Dict[str, Any]]:
    """``event`` happens once the restore has begun to wait."""
    from wirespeed.kernel.arrivals import Arrivals

    original = Arrivals.wait

    def wait(events: Arrivals, seconds: float) -> bool:
        event()
        Arrivals.wait = original  # type: ignore[method-assign]
        assert original(events, seconds), "nothing woke it"
        return True

    Arrivals.wait = wait  # type: ignore[method-assign]
    code, said, _error = _main(["restore", "--json", *words])
    return code, json.loads(said)


def test_while_another_run_works_it_says_so_and_tries_nothing(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    wipe(places)
    with node_lock(places.run / "lock"):
        code, said, error = veth.node.run(_main, ["restore"])
    assert (code, said) == (1, "") and error.startswith("wirespeed: Another run holds the lock")


def test_one_nic_that_cannot_be_restored_does_not_cost_the_others(namespaces: Factory, places: Places) -> None:
    node = namespaces.veth(queues=4).node
    node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "ws2")
    converge(node, wanted(ws(), ws("ws1", mode="native")))
    namespaces.remove()
    wipe(places)
    node = namespaces.veth(queues=4).node
    node.ip("link", "add", "ws1", "mtu", "9000", "type", "veth", "peer", "name", "ws2", "mtu", "9000")
    code, said = told(node, "restore")
    assert code == 1 and said["missing"] == [] and ["ws1" in problem for problem in said["failed"]] == [True]
    assert "xdp" in node.links()["ws0"] and "xdp" not in node.links()["ws1"]


def test_a_nic_that_is_down_may_be_disturbed_whatever_the_limit(namespaces: Factory, places: Places) -> None:
    node = namespaces.veth(queues=4).node
    intent = wanted(ws(tuning={"channels": {"rx": 4, "tx": 2}}))
    converge(node, intent)
    intent["nics"][0]["max_disruption"] = "none"
    converge(node, intent)
    booted = reboot(namespaces, places)
    booted.node.ip("link", "set", "ws0", "down")
    assert told(booted.node, "restore")[0] == 0
    booted.node.ip("link", "set", "ws0", "up")
    assert drift(booted.node, intent) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"format":1,"nics":[', "is damaged"),
        ('{"format":1}', "is damaged"),
        ('{"format":2}', "newer version of Wirespeed (format 2; this one reads up to 1)"),
    ],
)
def test_a_stored_state_that_cannot_be_read_is_told(veth: Veth, places: Places, content: str, problem: str) -> None:
    converge(veth.node, wanted(ws()))
    (places.state / "desired.json").write_text(content)
    code, _said, error = veth.node.run(_main, ["restore"])
    assert code == 1 and error.startswith(f"wirespeed: {places.state}/desired.json ") and problem in error


def test_a_damaged_object_is_told(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    for part in (places.state / "desired").iterdir():
        part.write_bytes(part.read_bytes()[:-1])
    code, _said, error = veth.node.run(_main, ["restore"])
    assert code == 1 and f"wirespeed: {places.state}/desired/" in error and "SHA-256" in error


def test_a_run_mends_a_damaged_state_and_says_so(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    (places.state / "desired.json").write_text("{")
    assert "It was begun anew" in converge(veth.node, wanted(ws()))["warnings"][0]
    assert told(veth.node, "restore")[0] == 0


def test_a_run_leaves_the_state_of_a_newer_version_alone(veth: Veth, places: Places) -> None:
    (places.state / "desired.json").write_text('{"format":2}')
    assert "not stored for the next boot" in converge(veth.node, wanted(ws()))["warnings"][0]
    assert (places.state / "desired.json").read_text() == '{"format":2}'


def test_uninstall_leaves_nothing(veth: Veth, places: Places, no_residue: "set[BpfObject]") -> None:
    converge(veth.node, wanted(ws()))
    no_residue |= set().union(*bpf_objects.pins(places.bpffs).values())
    code, said = told(veth.node, "uninstall")
    assert (code, said["changed"], said["detached"], said["pipelines"]) == (0, True, ["ws0"], ["scrubber"])
    assert "xdp" not in veth.node.links()["ws0"] and left(places) == []


def test_uninstall_needs_nothing_but_the_pins(veth: Veth, places: Places, no_residue: "set[BpfObject]") -> None:
    converge(veth.node, wanted(ws()))
    no_residue |= set().union(*bpf_objects.pins(places.bpffs).values())
    shutil.rmtree(places.run)
    shutil.rmtree(places.state)
    assert told(veth.node, "uninstall")[1]["detached"] == ["ws0"]
    assert "xdp" not in veth.node.links()["ws0"] and left(places) == []


def test_uninstall_takes_dead_links_and_what_is_half_made_too(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    base = places.bpffs / "wirespeed"
    command("bpftool", "link", "detach", "pinned", str(base / "links" / "ws0"))
    for folder in (base / "scrubber" / "0123456789ab~new" / "maps", base / "edge~new"):
        folder.mkdir(parents=True)
    (base / "links" / "ws0").rename(base / "links" / "ws0~new")
    code, said = told(veth.node, "uninstall")
    assert (code, said["detached"], said["pipelines"]) == (0, [], ["scrubber"]) and left(places) == []


def test_uninstall_leaves_a_foreign_program_where_it_is(veth: Veth, places: Places) -> None:
    veth.node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "ws2")
    foreign = str(Path(engine.__file__).parent / "objects" / "scrubber.bpf.o")
    veth.node.ip("link", "set", "ws1", "xdpgeneric", "object", foreign, "section", "xdp")
    converge(veth.node, wanted(ws()))
    assert told(veth.node, "uninstall")[1]["detached"] == ["ws0"]
    assert "xdp" in veth.node.links()["ws1"] and "xdp" not in veth.node.links()["ws0"]


def test_uninstall_a_second_time_changes_nothing(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    told(veth.node, "uninstall")
    assert veth.node.run(_main, ["uninstall"]) == (0, "Nothing of Wirespeed is on this node.\n", "")


def test_what_uninstall_kept_is_brought_back(veth: Veth, places: Places) -> None:
    converge(veth.node, wanted(ws()))
    assert told(veth.node, "uninstall", "--keep-state")[0] == 0 and "xdp" not in veth.node.links()["ws0"]
    assert told(veth.node, "restore")[0] == 0 and "xdp" in veth.node.links()["ws0"]


def test_uninstall_refuses_pins_of_a_newer_protocol(
    veth: Veth, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wirespeed.pipeline import protocol

    converge(veth.node, wanted(ws()))
    monkeypatch.setattr(protocol, "PROTOCOL", 1)
    code, _said, error = veth.node.run(_main, ["uninstall"])
    assert code == 1 and "follow version 2 of the pin protocol; this Wirespeed knows 1" in error
    assert "xdp" in veth.node.links()["ws0"]
