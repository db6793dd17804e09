# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that Debian's xdp-loader attached, behind libxdp's dispatcher: left alone, or taken over without a gap.

What the dispatcher calls are programs that replace functions of it (freplace). A program that is extended in this way
takes no slot of a program array: EBUSY (kernel/bpf/arraymap.c, prog_fd_array_get_ptr), in Debian's 6.1 as in 6.12.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from tests.depth import DEEP, deep
from tests.kernel.foreign_here import packaged
from tests.ledger import build
from tests.probes import requires

from . import Image
from .agent import Agent
from .conftest import _factory
from .site import IGB, INTERFACES, NICS, Site
from .test_reload_loss import Bench

pytestmark = [requires("clang", "xdp-tools")]

KERNELS = ["6.1", "6.12"] if DEEP else ["6.12"]
RELOADS = 3
NIC = INTERFACES[IGB]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger, and what loads it: xdp-loader needs no library that the node lacks."""
    made = tmp_path_factory.mktemp("ledger")
    build.pipeline("ledger", made)
    build.copy_modules(made)
    for needed in (Path(str(shutil.which("xdp-loader"))), packaged("xdp-dispatcher.o")):
        shutil.copy(needed, made)
    return made


@pytest.fixture(scope="module", params=KERNELS)
def bench(request: pytest.FixtureRequest, lab_image: Image, folder: Path) -> Iterator[Bench]:
    for make in _factory(lab_image):
        node = make(request.param, *NICS)
        Site(node, {NIC: {}}).quiet()
        node.put(folder, "/root/ledger")
        agent = Agent(node, "dispatcher_agent.py")
        try:
            agent.ask("tune", NIC)
            node.out(f"cd /root/ledger && LIBXDP_OBJECT_PATH=. ./xdp-loader load --mode native {NIC} ledger.bpf.o")
            node.until(f"ip link show {NIC} | grep -q LOWER_UP")
            agent.ask("begin", NIC)
            yield Bench(node, IGB, agent)
        finally:
            agent.close()


def carried(bench: Bench) -> str:
    return bench.node.out(f"ip -d link show {NIC} | grep -o 'prog/xdp.*'")


@deep
def test_a_dispatcher_is_reported_and_left_alone(bench: Bench) -> None:
    before = carried(bench)
    told = bench.agent.ask("facts")
    assert (told["prog_name"], told["mode"], told["link_id"], told["pipeline"]) == (
        "xdp_dispatcher",
        "native",
        None,
        None,
    )
    assert f"program {told['prog_id']} (xdp_dispatcher, native mode, by netlink)" in bench.agent.ask("refused")["error"]
    assert carried(bench) == before


@deep
def test_a_dispatcher_is_taken_over_without_a_gap(
    bench: Bench, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    found = bench.in_traffic("adopt", RELOADS)
    told: Dict[str, Any] = bench.agent.ask("told")
    kernel = request.node.callspec.params["bench"]
    record_property("told", f"libxdp's dispatcher taken over on igb, kernel {kernel}: {found}; {told}")
    assert found.lossless, (found, told)
    assert not {"attach", "detach"} & set(told["actions"])
    assert told["actions"][0] == "adopt" and "root" not in told["actions"]
    assert any("is not handed over: the program is extended by another one" in each for each in told["warnings"]), told
