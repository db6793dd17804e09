# SPDX-License-Identifier: GPL-3.0-or-later
"""This version takes over what an older one left on a node: pins, records and store, while frames come in."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.ledger.stack import Stack
from tests.pipelines import DENY_V4, bundle_of, next_scrubber, small
from tests.probes import requires, requires_bpf
from wirespeed import cli, engine
from wirespeed.errors import Refused
from wirespeed.kernel import bpffs
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance, protocol
from wirespeed.pipeline.inventory import inventory
from wirespeed.pipeline.links import pinned_links
from wirespeed.pipeline.pins import PROTOCOL, Paths

from . import bpf_objects, version_1
from .conftest import Places
from .killing import killed_in
from .netns import Veth
from .pipelines_here import Node, publish_step
from .test_swap import DENIED, PROGRESS, traffic, wait_until

pytestmark = [requires_bpf, requires("clang")]

NEWER = 3
GLOBAL = """
int seen;
SEC("xdp") int small(struct xdp_md *ctx) { seen++; return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""


def converge(nic: str, check: bool = False) -> Dict[str, Any]:
    intent = {
        "nics": [{"name": nic, "pipeline": "scrubber"}],
        "pipelines": [{"name": "scrubber", "tables": {"deny_v4": list(DENIED)}}],
    }
    return dict(engine.converge(intent, bundle_of(next_scrubber()), check))


def actions(result: Dict[str, Any]) -> List[str]:
    return [step["action"] for step in result["steps"]]


def denied() -> int:
    """By what runs, which knows what the generation before it has counted once all of that is handed over."""
    paths = Paths.from_environment()
    generation = instance.published(paths, "scrubber") or version_1.GENERATION
    with BpfMap.pinned(str(paths.map("scrubber", generation, "verdicts"))) as verdicts:
        values = verdicts.lookup_percpu(DENY_V4.to_bytes(4, "little"))
    return sum(int.from_bytes(value[:8], "little") for value in values)


def on_hook() -> Tuple[int, int]:
    """The link and what it runs."""
    (link,) = pinned_links(Paths.from_environment())
    return link.link_id, link.prog_id


@dataclass(frozen=True)
class Account:
    taken: int
    denied: int
    escaped: int


def in_traffic(veth: Veth, sender: Path, change: Callable[[], None]) -> Account:
    """``change`` with version 1's pins on the NIC, between frames that it and what replaces it deny."""
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")

    def progress() -> None:
        seen = denied()
        assert wait_until(lambda: denied() >= seen + PROGRESS)

    def on_node() -> Account:
        version_1.lay_out(veth.ifname, DENIED)
        with Stack(veth.ifname) as stack:
            with traffic(veth, sender) as stop:
                progress()
                change()
                progress()
                taken = stop()
            settled: List[int] = []
            wait_until(
                lambda: settled.append(denied()) or settled[-1] >= taken or settled[-200:] == [settled[-1]] * 200
            )
            return Account(taken, denied(), stack.frames)

    return veth.node.run(on_node)  # type: ignore[no-any-return]


def test_an_upgrade_under_traffic_reloads_without_a_gap(
    veth: Veth, places: Places, sender: Path, record_property: Callable[[str, object], None]
) -> None:
    def upgrade() -> None:
        paths, before = Paths.from_environment(), on_hook()
        result = converge(veth.ifname)
        assert result["recovered"] == [
            f"The pins below {paths.base} were brought from version 1 of the pin protocol to {PROTOCOL}."
        ]
        assert protocol.present(paths) == PROTOCOL
        assert not {"attach", "detach", "swap", "root"} & set(actions(result))
        assert instance.published(paths, "scrubber") == next_scrubber().generation
        assert on_hook() == before

    found = in_traffic(veth, sender, upgrade)
    record_property("told", f"upgrade from pin protocol 1 under traffic: {found}")
    assert found == Account(found.taken, found.taken, 0) and found.taken >= 2 * PROGRESS


def test_the_account_can_fail(veth: Veth, places: Places, sender: Path) -> None:
    def gap() -> None:
        with Stack(veth.ifname) as stack:
            Node().do(publish_step("scrubber", version_1.GENERATION, None))
            assert wait_until(lambda: stack.frames > 0)
        Node().do(publish_step("scrubber", None, version_1.GENERATION))

    found = in_traffic(veth, sender, gap)
    assert found.escaped > 0 and found.denied < found.taken


def test_a_second_run_is_empty(veth: Veth, places: Places) -> None:
    def on_node() -> Dict[str, Any]:
        version_1.lay_out(veth.ifname, DENIED)
        converge(veth.ifname)
        return converge(veth.ifname)

    second = veth.node.run(on_node)
    assert (second["steps"], second["recovered"], second["changed"]) == ([], [], False)


def test_a_check_run_says_that_pins_will_be_brought_along_and_changes_nothing(veth: Veth, places: Places) -> None:
    veth.node.run(version_1.lay_out, veth.ifname, DENIED)
    before = everything(places)
    told = veth.node.run(converge, veth.ifname, True)
    assert (
        f"follow version 1 of the pin protocol: the next run first brings them to {PROTOCOL}." in told["warnings"][-1]
    )
    assert everything(places) == before
    assert actions(veth.node.run(converge, veth.ifname)) == actions(told)
    assert veth.node.run(converge, veth.ifname, True)["warnings"] == told["warnings"][:-1]


def test_a_run_that_is_refused_still_tells_of_the_pins_that_it_brought_along(veth: Veth, places: Places) -> None:
    veth.node.run(version_1.lay_out, veth.ifname, DENIED)
    veth.node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "ws2")
    foreign = str(version_1.FILES / "scrubber.bpf.o")
    veth.node.ip("link", "set", "ws1", "xdpgeneric", "object", foreign, "section", "xdp")
    with pytest.raises(Refused, match="the hook is held by") as refused:
        veth.node.run(converge, "ws1")
    assert "were brought from version 1" in refused.value.outcome["recovered"][0]


def everything(places: Places) -> Dict[str, Any]:
    """Pins with what they are, and the contents of all files but the lock."""
    found: Dict[str, Any] = dict(bpf_objects.pins(places.bpffs))
    for folder in (places.run, places.state):
        files = (path for path in folder.rglob("*") if path.is_file() and path != places.run / "lock")
        found.update({str(path): path.read_bytes() for path in files})
    return found


def test_tables_of_the_older_generation_can_be_read(veth: Veth, places: Places) -> None:
    def on_node() -> Any:
        version_1.lay_out(veth.ifname, DENIED)
        return inventory(Paths.from_environment())

    found = veth.node.run(on_node)
    (loaded,) = found.instances
    assert (found.notes, loaded.published, loaded.tables["deny_v4"]) == ((), True, DENIED)


def test_a_rollback_to_the_older_generation_denies_on(veth: Veth, places: Places, sender: Path) -> None:
    """It has fewer verdicts, so it goes on with its own counts."""

    def there_and_back() -> None:
        paths, before, node = Paths.from_environment(), on_hook(), Node()
        converge(veth.ifname)
        node.do(publish_step("scrubber", next_scrubber().generation, version_1.GENERATION))
        assert ["verdicts" in note for note in node.actuator.notes] == [True]
        assert instance.published(paths, "scrubber") == version_1.GENERATION and on_hook() == before

    found = in_traffic(veth, sender, there_and_back)
    assert found.escaped == 0 and found.denied >= 2 * PROGRESS


def test_internal_maps_lose_the_name_of_the_object(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        paths, source = laid_out_small()
        maps = paths.generation("small", source.generation) / "maps"
        assert "small%2ebss" in names(maps)
        protocol.migrate(paths)
        assert names(maps) == ["%2ebss"]

    veth.node.run(on_node)


def test_global_variables_of_an_older_generation_are_handed_over(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        paths, old = laid_out_small()
        protocol.migrate(paths)
        new = small(GLOBAL, version="2", maps={".bss": {"role": "state"}})
        Node(new).run(new)
        before, after = (ids(paths, each.generation, ".bss") for each in (old, new))
        assert before == after

    def ids(paths: Paths, generation: str, name: str) -> int:
        with instance.open_map(paths, "small", generation, name) as found:
            return found.info.id

    veth.node.run(on_node)


def laid_out_small() -> Tuple[Paths, Any]:
    paths, source = Paths.from_environment(), small(GLOBAL)
    version_1.pin(paths, source)
    return paths, source


def names(folder: Path) -> List[str]:
    return sorted(pin.name for pin in bpffs.entries(folder))


@pytest.mark.parametrize(
    ("place", "name", "call"),
    [(protocol.os, "replace", 1), (BpfMap, "update", 1), (BpfMap, "pin", 1), (protocol.os, "replace", 2)],
    ids=["before the maps", "before the mark has a value", "before the mark is pinned", "before the mark counts"],
)
def test_a_migration_that_is_killed_is_brought_to_its_end(
    veth: Veth, places: Places, place: Any, name: str, call: int
) -> None:
    def on_node() -> None:
        paths, source = laid_out_small()
        version_1.lay_out(veth.ifname, DENIED)
        killed_in(lambda: converge(veth.ifname), place, name, call)
        assert protocol.present(paths) == 1
        assert converge(veth.ifname)["recovered"] and converge(veth.ifname)["steps"] == []
        assert protocol.present(paths) == PROTOCOL
        assert names(paths.generation("small", source.generation) / "maps") == ["%2ebss"]
        assert not [pin for pin in bpffs.entries(paths.base) if pin.name.endswith("~new")]

    veth.node.run(on_node)


def test_whoever_pins_first_brings_older_pins_along(veth: Veth, places: Places) -> None:
    """A pipeline that is loaded beside older ones must not mark them as what they are not."""

    def on_node() -> None:
        paths, source = laid_out_small()
        Node(next_scrubber()).run(next_scrubber())
        assert names(paths.generation("small", source.generation) / "maps") == ["%2ebss"]

    veth.node.run(on_node)


def test_where_the_older_version_stored_no_intent_restore_says_so(veth: Veth, places: Places) -> None:
    def on_node() -> str:
        version_1.lay_out(veth.ifname, DENIED)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert cli.main(["restore"]) == 0
        return out.getvalue()

    before = f"Nothing to restore: no run has stored anything in {places.state}/desired.json.\n"
    assert veth.node.run(on_node) == before


def uninstall(nic: str) -> None:
    from wirespeed.uninstall import uninstall as take_off

    take_off(Paths.from_environment(), keep_state=False)


def check(nic: str) -> None:
    converge(nic, check=True)


def facts(nic: str) -> None:
    engine.facts([nic], None)


@pytest.mark.parametrize("verb", [converge, check, facts, uninstall])
def test_pins_of_a_newer_protocol_are_refused_and_nothing_is_changed(
    veth: Veth, places: Places, verb: Callable[[str], Any]
) -> None:
    def on_node() -> None:
        paths = Paths.from_environment()
        converge(veth.ifname)
        with BpfMap.pinned(str(paths.protocol)) as marker:
            marker.update(bytes(4), NEWER.to_bytes(4, "little"))
        before, attached = everything(places), on_hook()
        with pytest.raises(Refused, match=f"follow version {NEWER} .*; this Wirespeed knows {PROTOCOL}"):
            verb(veth.ifname)
        assert (everything(places), on_hook()) == (before, attached)

    veth.node.run(on_node)


def test_an_uninstall_takes_older_pins_off_too(veth: Veth, places: Places) -> None:
    veth.node.run(version_1.lay_out, veth.ifname, DENIED)
    veth.node.run(uninstall, veth.ifname)
    assert "xdp" not in veth.node.links()[veth.ifname] and not (places.bpffs / "wirespeed").exists()
