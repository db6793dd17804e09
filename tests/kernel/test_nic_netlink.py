# SPDX-License-Identifier: GPL-3.0-or-later
"""The netlink conversation: sockets, namespaces, and both generations of pyroute2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from wirespeed.errors import NotSupported
from wirespeed.kernel import netlink, rtnetlink

from .netns import Factory, Veth
from .worker import enter_network

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wirespeed" / "pyroute2"
ENGINE = Path(__file__).parents[2] / "plugins/module_utils"
SCRIPT = """
import json, sys
import pyroute2
from wirespeed.errors import KernelRefusal
from wirespeed.kernel import netlink, rtnetlink
from wirespeed.model.settings import Setting
from wirespeed.nic.discover import discover
from wirespeed.nic.table import ROOMS

name = sys.argv[1]
port = rtnetlink.link_named(name).port
ROOMS[Setting.CHANNELS].write(port, {"rx": 3})
ROOMS[Setting.FEATURES].write(port, {"rx-gro": True})
ROOMS[Setting.MTU].write(port, {"mtu": 1700})
refused = []
for setting, values in (("channels", {"rx": 9}), ("mtu", {"mtu": 70000}), ("features", {"rx-warp": True})):
    try:
        ROOMS[Setting(setting)].write(port, values)
    except KernelRefusal as error:
        refused.append(str(error))
(nic,) = discover([name]).values()
settings = {setting.value: dict(facts.values) for setting, facts in nic.settings.items()}
errors = rtnetlink.link_stats(nic.ifindex)["rx_errors"]
json.dump([nic.mac, nic.driver, nic.speed_mbps, settings, refused, errors], sys.stdout)
netlink.close()
"""


def open_netlink_sockets() -> int:
    return sum(target.startswith("socket:") for target in map(_target, Path("/proc/self/fd").iterdir()))


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except FileNotFoundError:
        return ""


def sockets_after(times: int) -> List[int]:
    before = open_netlink_sockets()
    for _ in range(times):
        rtnetlink.links()
    held = open_netlink_sockets() - before
    netlink.close()
    return [held, open_netlink_sockets() - before]


def test_one_socket_serves_all_requests_and_is_closed(veth: Veth) -> None:
    assert veth.node.run(sockets_after, 5) == [1, 0]


def names_in(paths: List[str]) -> List[List[str]]:
    found = []
    for path in paths:
        enter_network(Path(path))
        found.append([link.name for link in rtnetlink.links()])
    return found


def test_socket_is_not_carried_into_another_namespace(veth: Veth) -> None:
    seen = veth.node.run(names_in, [str(veth.wire.path), str(veth.node.path), str(veth.wire.path)])
    assert seen == [["lo", veth.wire_ifname], ["lo", veth.ifname], ["lo", veth.wire_ifname]]


def test_family_that_the_kernel_lacks_is_not_supported(veth: Veth) -> None:
    with pytest.raises(NotSupported, match="no-such-family"):
        veth.node.run(netlink.family, "no-such-family")


def test_long_list_of_links_comes_whole(namespaces: Factory) -> None:
    many = namespaces.netns()
    commands = "".join(f"link add left{number} type veth peer name right{number}\n" for number in range(150))
    subprocess.run(["ip", "-netns", many.name, "-batch", "-"], input=commands, text=True, check=True)
    assert many.run(lambda: len(rtnetlink.links())) == 301


def installed(version: str) -> Path:
    """A pyroute2 from the package index, kept outside the tree; skips where pip cannot get it."""
    target = CACHE / version
    if not (target / "pyroute2").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
        answer = subprocess.run([*pip, f"pyroute2=={version}"], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            pytest.skip(f"probe `pip install pyroute2=={version}` failed: {answer.stderr.strip()[-200:]}")
    return target


def told(veth: Veth, path: str) -> Dict[str, object]:
    argv = veth.node.inside("env", f"PYTHONPATH={path}", sys.executable, "-c", SCRIPT, veth.ifname)
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    return json.loads(answer.stdout)


@pytest.mark.parametrize("version", ["0.7.2", "0.9.7"])
def test_every_pyroute2_from_debian_12_to_today_tells_the_same(veth: Veth, version: str) -> None:
    here = told(veth, str(ENGINE))
    assert told(veth, f"{installed(version)}:{ENGINE}") == here
    assert len(here[4]) == 3


CODEC_ALONE = """
import sys
from wirespeed.kernel import rtnetlink

assert rtnetlink.link_named(sys.argv[1]).name == sys.argv[1]
print(sum(name.startswith("pyroute2") for name in sys.modules))
import pyroute2
print(pyroute2.IPRoute.__name__, pyroute2.__file__)
"""


@pytest.mark.parametrize("version", ["0.7.2", "0.9.7"])
def test_a_run_loads_of_pyroute2_only_what_it_uses_and_leaves_the_whole_to_others(veth: Veth, version: str) -> None:
    library = installed(version)
    path = f"PYTHONPATH={library}:{ENGINE}"
    argv = veth.node.inside("env", path, sys.executable, "-c", CODEC_ALONE, veth.ifname)
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    loaded, whole = answer.stdout.splitlines()
    assert int(loaded) < 20  # the whole is over 100
    assert whole == f"IPRoute {library}/pyroute2/__init__.py"
