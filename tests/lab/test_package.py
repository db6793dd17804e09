# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package on a machine that boots, without Ansible, a compiler or a network."""

from __future__ import annotations

from typing import Callable, Iterator

import pytest

from tests.ansible import releases
from tests.depth import deep
from tests.probes import requires

from . import Node
from .site import INTERFACES, Site
from .test_boot import left, scraped, shown

pytestmark = [requires("clone", "clang", "dpkg-deb"), deep]

IGB = INTERFACES[0]
INTENT = f"nics: [{{name: {IGB}, pipeline: scrubber}}]\npipelines: [{{name: scrubber}}]\n"


@pytest.fixture(scope="module")
def packaged(module_node: Callable[..., Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Installed, asked for a pipeline once, and rebooted."""
    release = releases.first(tmp_path_factory.mktemp("released"))
    machine = module_node("6.12", "igb")
    machine.put(release.file("*.deb"), "/root/wirespeed.deb")
    machine.ssh("dpkg --install /root/wirespeed.deb")
    machine.ssh("cat > /root/intent.yml", feed=INTENT)
    machine.ssh("wirespeed apply -f /root/intent.yml")
    machine.reboot()
    yield Site(machine, {IGB: {"pipeline": "scrubber"}})


def test_the_node_comes_back_by_itself(packaged: Site) -> None:
    assert packaged.link(IGB)["xdp"]["mode"] == 1
    unit = shown(packaged, "wirespeed.service", "Result", "ActiveState")
    assert unit == {"Result": "success", "ActiveState": "active"}
    assert packaged.node.ssh("wirespeed plan -f /root/intent.yml", check=False).returncode == 0


def test_its_exporter_is_off_and_serves_metrics_when_it_is_started(packaged: Site) -> None:
    assert packaged.node.out("systemctl is-enabled wirespeed-exporter || true") == "disabled"
    packaged.node.ssh("systemctl start wirespeed-exporter")
    assert 'wirespeed_pipeline_nics{pipeline="scrubber"} 1.0' in scraped(packaged)
    packaged.node.ssh("systemctl stop wirespeed-exporter")


def test_nothing_is_left_after_uninstall_and_purge(packaged: Site) -> None:
    packaged.node.ssh("wirespeed uninstall && dpkg --purge wirespeed")
    assert left(packaged) == [] and "xdp" not in packaged.link(IGB)
    assert packaged.node.out("find /usr /lib /etc -path '*wirespeed*' 2>/dev/null") == ""
