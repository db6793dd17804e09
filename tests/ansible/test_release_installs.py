# SPDX-License-Identifier: GPL-3.0-or-later
"""What is released installs and filters on a machine that has neither a compiler nor a network."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.documentation import held
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

from .conftest import BIN
from .releases import Release

pytestmark = requires("clone", "clang", "dpkg-deb", "ansible", "root", "netns", "bpf", "bpffs", "libbpf", "sshd")

COMPILERS = (
    "for name in clang gcc cc c99 make; do rm -f /usr/bin/$name /usr/bin/$name-[0-9]*; done; rm -rf /usr/lib/llvm*"
)
PAGE = "packaging.md"
"""Its commands are those by which the tests install."""
INTENT = f"nics: [{{name: {INTERFACE}, pipeline: scrubber}}]\npipelines: [{{name: scrubber}}]\n"


@pytest.fixture(scope="module")
def bare() -> Iterator[NetnsNode]:
    """A machine of its own, over this one's files, in a network namespace that leads nowhere."""
    node = NetnsNode(f"bare-{os.getpid()}")
    node.up(2)
    try:
        node.ssh(COMPILERS)
        assert node.ssh("command -v clang gcc make", check=False).stdout == ""
        assert node.out("ip route") == ""
        put(node, "intent.yml", INTENT.encode())
        yield node
    finally:
        node.down()


def put(node: NetnsNode, name: str, data: bytes) -> None:
    Path(f"/proc/{node.init}/root/tmp/{name}").write_bytes(data)


def put_file(node: NetnsNode, path: Path) -> str:
    put(node, path.name, path.read_bytes())
    return f"/tmp/{path.name}"


def filtered(node: NetnsNode) -> bool:
    (link,) = json.loads(node.out(f"ip -j -d link show {INTERFACE}"))
    return "prog" in link.get("xdp", {})


def works(node: NetnsNode, command: str, release: Release) -> None:
    """``command`` is wirespeed there: it is what was released, and it loads the scrubber and takes it off again."""
    said = json.loads(node.out(f"{command} version --json"))
    told = {each["name"]: each["digest"] for each in said["objects"]}
    assert told == digests(release)
    node.ssh(f"{command} apply -f /tmp/intent.yml")
    assert filtered(node)
    assert json.loads(node.out(f"{command} plan -f /tmp/intent.yml --json"))["steps"] == []
    node.ssh(f"{command} uninstall")
    assert not filtered(node)


def digests(release: Release) -> Dict[str, str]:
    """Of the objects, as the bill of materials has them."""
    bill = json.loads(release.file("*.cdx.json").read_text())
    objects = [each for each in bill["components"] if each["bom-ref"].startswith("object:")]
    return {each["bom-ref"].partition(":")[2]: str(each["hashes"][0]["content"]) for each in objects}


@pytest.fixture
def wheel(bare: NetnsNode, released: Release) -> Iterator[str]:
    """The command of an environment that the wheel was installed into."""
    put_file(bare, released.file("*.whl"))
    bare.ssh("/usr/bin/python3 -m venv --system-site-packages /opt/wheel")
    bare.ssh(f"cd /tmp && /opt/wheel/bin/{held.command(PAGE, 'pip install')}")
    yield "/opt/wheel/bin/wirespeed"
    bare.ssh("rm -r /opt/wheel")


def test_the_wheel(bare: NetnsNode, released: Release, wheel: str) -> None:
    works(bare, wheel, released)


@pytest.fixture
def package(bare: NetnsNode, released: Release) -> Iterator[str]:
    put_file(bare, released.file("*.deb"))
    bare.ssh(f"cd /tmp && {held.command(PAGE, 'apt install')}")
    yield "/usr/bin/wirespeed"
    bare.ssh("dpkg --purge wirespeed")


def test_the_debian_package(bare: NetnsNode, released: Release, package: str) -> None:
    works(bare, package, released)


def test_systemd_finds_nothing_wrong_with_the_units_of_the_package(bare: NetnsNode, package: str) -> None:
    units = bare.out("dpkg --listfiles wirespeed | grep /lib/systemd/system/ | sed s/@/@scrubber/").split()
    assert len(units) == 6
    bare.ssh("for unit in /lib/systemd/system/wirespeed*@.*; do cp $unit $(echo $unit | sed s/@/@scrubber/); done")
    done = bare.ssh(f"systemd-analyze verify --man=no {' '.join(units)}", check=False)
    bare.ssh("rm /lib/systemd/system/wirespeed*@scrubber.*")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_has_the_node_brought_back_at_boot(bare: NetnsNode, package: str) -> None:
    assert bare.out("readlink /etc/systemd/system/multi-user.target.wants/wirespeed.service") == (
        "/lib/systemd/system/wirespeed.service"
    )


def test_nothing_of_a_purged_package_stays(bare: NetnsNode, released: Release) -> None:
    file = put_file(bare, released.file("*.deb"))
    look = "find /usr /lib /etc /var/lib/systemd -path '*wirespeed*' | sort"
    before = bare.out(look)
    bare.ssh(f"dpkg --install {file}")
    assert bare.out(look) != before
    bare.ssh("dpkg --purge wirespeed")
    assert bare.out(look) == before


@pytest.fixture
def installed(released: Release, tmp_path: Path) -> Path:
    """The artifact, installed by ansible-galaxy where there is no network."""
    program, *words = shlex.split(held.command(PAGE, "ansible-galaxy"))
    command = ["unshare", "--net", str(BIN / program), *words]
    ours = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_HOME": str(tmp_path / "home")}
    settings = {**os.environ, **ours}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, cwd=released.dist)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path / "collections"


def test_the_artifact(bare: NetnsNode, installed: Path, tmp_path: Path) -> None:
    task = {
        "name": "Filter",
        "wirespeed.xdp.node": {
            "nics": [{"name": INTERFACE, "pipeline": "scrubber"}],
            "pipelines": [{"name": "scrubber"}],
        },
    }
    play(bare, installed, tmp_path, [task])
    assert filtered(bare)
    role: Dict[str, Any] = {
        "ansible.builtin.import_role": {"name": "wirespeed.xdp.boot"},
        "vars": {"boot_state": "absent"},
    }
    play(bare, installed, tmp_path, [role])
    assert not filtered(bare)


def play(node: NetnsNode, collections: Path, folder: Path, tasks: List[Dict[str, Any]]) -> None:
    """From a control node that has neither."""
    (folder / "inventory.json").write_text(json.dumps(inventory([node])))
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    settings = {
        "HOME": str(folder),
        "PATH": path_without_compilers(folder),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOST_KEY_CHECKING": "0",
        "LC_ALL": "C.UTF-8",
    }
    command = ["/usr/bin/unshare", "--net", str(BIN / "ansible-playbook"), "-i", "inventory.json", "play.json"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def path_without_compilers(folder: Path) -> str:
    """A folder with links to the only programs that Ansible has use for."""
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    for name in ("ssh", "sftp", "scp", "nsenter", "sh", "env"):
        found = shutil.which(name)
        if found and not (made / name).exists():
            (made / name).symlink_to(found)
    return str(made)
