# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can do wrong, through the playbook wirespeed.xdp.site over ssh: one paragraph, and nothing changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.pipelines import compiled
from tests.probes import requires

from .conftest import Answer, Control

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang")

REJECTED = """
SEC("xdp") int careless(struct xdp_md *ctx)
{
	return *(int *)(long)ctx->data; /* no bounds check */
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def node() -> Iterator[NetnsNode]:
    node = NetnsNode("refusals")
    node.up(2)
    try:
        yield node
    finally:
        node.down()


def refused(control: Control, node: NetnsNode, nic: Dict[str, Any], pipelines: Any = (), **host: Any) -> str:
    """Play `site` with one mistake; hold that it fails as it should, and that the node is as it was."""
    wanted = {"wirespeed_nics": [{"name": INTERFACE, **nic}], "wirespeed_pipelines": list(pipelines), **host}
    inventory_file = control.work / "inventory.json"
    inventory_file.write_text(json.dumps(inventory([node], {node.name: wanted})))
    before = state(node)
    answer: Answer = control.run(
        "ansible-playbook", "-i", str(inventory_file), "wirespeed.xdp.site", ANSIBLE_PIPELINING="1"
    )
    assert answer.code == 2 and "Traceback" not in answer.said, answer.said
    assert state(node) == before
    return answer.said


def state(node: NetnsNode) -> str:
    pins = "find /sys/fs/bpf/wirespeed 2>/dev/null || true"
    return node.out(f"ip -d link show {INTERFACE}; ethtool -l {INTERFACE}; ethtool -k {INTERFACE}; {pins}")


def test_an_unknown_profile(control: Control, node: NetnsNode) -> None:
    said = refused(control, node, {"profile": "vethh"})
    assert "vethh" in said and "Did you mean" in said and "veth" in said


def test_an_unknown_interface(control: Control, node: NetnsNode) -> None:
    said = refused(control, node, {"name": "eth77"})
    assert "'eth77' is not on this node" in said


def test_a_value_out_of_range(control: Control, node: NetnsNode) -> None:
    said = refused(control, node, {"tuning": {"channels": {"rx": 999}}})
    assert "999" in said and "allowed" in said


def test_a_row_that_is_no_prefix(control: Control, node: NetnsNode) -> None:
    pipelines = [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.1/24"]}}]
    said = refused(control, node, {"pipeline": "scrubber"}, pipelines)
    assert "table deny_v4, row 1" in said and "192.0.2.0/24" in said


def test_an_object_that_the_verifier_rejects(control: Control, node: NetnsNode) -> None:
    path = object_of(control.work, REJECTED)
    said = refused(control, node, {"pipeline": "careless"}, [{"name": "careless", "manifest": str(path)}])
    assert "invalid access to packet" in said and "careless" in said


def object_of(folder: Path, source: str) -> Path:
    manifest = {"manifest": 1, "name": "careless", "version": "1", "object": "careless.bpf.o", "entry": "careless"}
    (folder / "careless.bpf.o").write_bytes(compiled(source))
    path = folder / "careless.pipeline.yml"
    path.write_text(json.dumps(manifest))
    return path


def test_a_run_without_root(control: Control, node: NetnsNode) -> None:
    nobody = {"ansible_become_user": "nobody", "ansible_become_method": "su", "ansible_become_flags": "-s /bin/sh"}
    said = refused(control, node, {"pipeline": "scrubber"}, [{"name": "scrubber"}], **nobody)
    assert "This needs root" in said
