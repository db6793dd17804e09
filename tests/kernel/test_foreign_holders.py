# SPDX-License-Identifier: GPL-3.0-or-later
"""A NIC whose hook others hold: who it is gets reported, and their program is left exactly as it is."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from tests.probes import CLONE_NEWNS, requires, requires_bpf, unshare
from wirespeed import engine
from wirespeed.errors import Refused
from wirespeed.gather import gather

from . import helpers_xdp
from .conftest import Places
from .foreign_here import packaged
from .netns import Veth, command
from .test_converge import converge, intent

pytestmark = [requires_bpf, requires("clang", "bpftool", "xdp-tools")]

Attach = Callable[[Veth, Places], None]

UNKNOWN = {"runs": "", "fits": ""}
"""What is told of programs of our own, or that we are to adopt."""


def by_iproute(veth: Veth, places: Places) -> None:
    pin = str(places.bpffs / "theirs")
    command("bpftool", "prog", "load", str(packaged("xsk_def_xdp_prog.o")), pin)
    veth.node.ip("link", "set", veth.ifname, "xdpdrv", "pinned", pin)


def by_xdp_loader(veth: Veth, places: Places) -> None:
    """With a bpffs where xdp-loader looks for it, in a mount namespace of its own that goes with the worker."""

    def load() -> None:
        unshare(CLONE_NEWNS)
        command("mount", "--make-rprivate", "/")
        command("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        command("xdp-loader", "load", veth.ifname, str(packaged("xsk_def_xdp_prog.o")))

    veth.node.run(load)


HOLDERS = [by_iproute, by_xdp_loader]


def reported(veth: Veth) -> Dict[str, Any]:
    return dict(veth.node.run(engine.facts, [veth.ifname], None)["nics"][veth.ifname]["xdp"])


def attached(veth: Veth) -> Dict[str, Any]:
    """As `ip` shows it."""
    return dict(veth.node.links()[veth.ifname]["xdp"])


@pytest.mark.parametrize("attach", HOLDERS)
def test_a_holder_over_netlink_is_reported_with_id_name_and_mode(veth: Veth, places: Places, attach: Attach) -> None:
    attach(veth, places)
    program = attached(veth)["prog"]
    assert reported(veth) == {
        "mode": "native",
        "prog_id": program["id"],
        "prog_name": program["name"],
        "link_id": None,
        "pipeline": None,
        **UNKNOWN,
    }


@pytest.mark.parametrize("attach", HOLDERS)
def test_a_holder_over_netlink_is_named_and_left_alone(veth: Veth, places: Places, attach: Attach) -> None:
    attach(veth, places)
    before = attached(veth)
    who = f"program {before['prog']['id']} \\({before['prog']['name']}, native mode, by netlink\\)"
    with pytest.raises(Refused, match=f"the hook is held by {who}, which Wirespeed did not attach"):
        converge(veth, intent())
    assert attached(veth) == before and not (places.bpffs / "wirespeed").exists()


@pytest.mark.parametrize(("flags", "mode"), [(helpers_xdp.NATIVE, "native"), (helpers_xdp.GENERIC, "generic")])
def test_a_holder_by_a_link_is_reported_named_and_left_alone(veth: Veth, places: Places, flags: int, mode: str) -> None:
    bundle = gather([{"name": "scrubber"}], [], Path.cwd())

    def on_node() -> None:
        program = helpers_xdp.load("theirs")
        link = helpers_xdp.link(program, socket.if_nametoindex(veth.ifname), flags)
        prog_id, link_id = helpers_xdp.ident(program, "prog_id"), helpers_xdp.ident(link, "link_id")
        who = {"mode": mode, "prog_id": prog_id, "prog_name": "theirs", "link_id": link_id, "pipeline": None, **UNKNOWN}
        assert engine.facts([veth.ifname], None)["nics"][veth.ifname]["xdp"] == who
        with pytest.raises(Refused, match=f"program {prog_id} .theirs, {mode} mode, by bpf_link {link_id}., which"):
            engine.converge(intent(), bundle, False)
        assert engine.facts([veth.ifname], None)["nics"][veth.ifname]["xdp"] == who

    veth.node.run(on_node)


def test_a_foreign_program_on_a_nic_without_a_pipeline_stays(veth: Veth, places: Places) -> None:
    by_iproute(veth, places)
    before = attached(veth)
    veth.node.run(engine.converge, {"nics": [{"name": veth.ifname}]}, gather([], [], Path.cwd()), False)
    assert attached(veth) == before
