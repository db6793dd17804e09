# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-pull: a node that fetches its site's repository and brings itself to what stands there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from tests.documentation import held
from tests.probes import requires

from .conftest import Answer, Control

pytestmark = requires("root", "netns", "veth", "bpf", "bpffs", "libbpf", "ansible", "ethtool", "clone")

NODE, OTHER, NIC = "edge1", "edge2", "ws0"

# A node of that name: its own network, /sys and BPF file system; its state, and what it sets in /etc, go with it.
PRIVATE = f"""
hostname {NODE}
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
for tree in /etc /var/lib; do
    mkdir -p /mnt/upper$tree /mnt/work$tree
    mount -t overlay overlay -o lowerdir=$tree,upperdir=/mnt/upper$tree,workdir=/mnt/work$tree $tree
done
rm -rf /var/lib/wirespeed
ip link set lo up
ip link add {NIC} type veth peer name wire0
ip link set {NIC} up
ip link set wire0 up
"""
AS_NODE = ["unshare", "--mount", "--net", "--uts", "sh", "-ec"]

# Twice as the site has it, then as it has it after another commit.
PULLS = f"""
"$@" >first 2>&1
ip -j -d link show ws0 >link.json
"$@" >second 2>&1
cp later.yml site/host_vars/{NODE}.yml
git -C site commit --quiet --all --message 'Another row' --author 'A <a@example.org>'
"$@" >third 2>&1
"""


@dataclass(frozen=True)
class Pulled:
    """What the three runs said, and what the NIC carried after the first."""

    runs: List[str]
    link: Dict[str, Any]

    def changed(self, run: int) -> int:
        (count,) = re.findall(rf"{NODE} .*changed=(\d+)", self.runs[run])
        return int(count)


def write_site(folder: Path) -> None:
    (folder / "host_vars").mkdir(parents=True)
    (folder / "hosts").write_text(f"[filters]\n{NODE} ansible_connection=local\n{OTHER}\n")
    (folder / "site.yml").write_text("- ansible.builtin.import_playbook: wirespeed.xdp.site\n")
    wanted = {
        "ansible_python_interpreter": "/usr/bin/python3",
        "wirespeed_nics": [{"name": NIC, "pipeline": "scrubber"}],
        "wirespeed_pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
    }
    (folder / "host_vars" / f"{NODE}.yml").write_text(yaml.safe_dump(wanted))


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


@pytest.fixture(scope="module")
def pulled(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Pulled:
    control = Control(collections, tmp_path_factory.mktemp("pulled"))
    site = control.work / "site"
    write_site(site)
    git(site, "init", "--quiet", "--initial-branch", "main")
    git(site, "config", "user.name", "A")
    git(site, "config", "user.email", "a@example.org")
    git(site, "add", ".")
    git(site, "commit", "--quiet", "--message", "The site")
    variables = site / "host_vars" / f"{NODE}.yml"
    later = variables.read_text().replace("192.0.2.0/24", "198.51.100.0/24")
    (control.work / "later.yml").write_text(later)
    here = {"https://git.example.org/site.git": f"file://{site}", "/var/lib/site": "checkout"}
    program, *words = shlex.split(held.command("packaging.md", "ansible-pull"))
    done: Answer = control.run(
        program, *(here.get(word, word) for word in words), inside=[*AS_NODE, PRIVATE + PULLS, "sh"]
    )
    said = [
        path.read_text() if path.exists() else ""
        for path in (control.work / name for name in ("first", "second", "third"))
    ]
    assert done.code == 0, done.said + "\n".join(said)
    (link,) = json.loads((control.work / "link.json").read_text())
    return Pulled(said, link)


def test_a_node_brings_itself_to_what_its_sites_repository_says_and_follows_it(pulled: Pulled) -> None:
    assert "prog" in pulled.link.get("xdp", {})
    assert [pulled.changed(run) > 0 for run in range(3)] == [True, False, True]


def test_a_node_that_pulls_leaves_the_sites_other_hosts_alone(pulled: Pulled) -> None:
    assert [run for run in pulled.runs if OTHER in run] == []
