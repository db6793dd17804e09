# SPDX-License-Identifier: GPL-3.0-or-later
"""Root and scrubber on real kernels and real drivers: verified, attached natively, exact to the frame."""

from __future__ import annotations

import base64
import json
import tarfile
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.pipelines import OBJECTS, scrubber

from . import Node

ENGINE = OBJECTS.parent
COUNT = 500
# On the node: the engine's own pipeline rooms, by the steps that the planner makes.
_RUN = """
import base64, json, sys
sys.path.insert(0, "/root/pipeline")
from wirespeed.errors import WirespeedError
from wirespeed.kernel import bpf_link
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Action, Step
from wirespeed.pipeline import instance
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.inventory import inventory
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

said = json.load(sys.stdin)
paths = Paths()
source = PipelineSource(
    Manifest.from_json(said["manifest"]), base64.b64decode(said["object"]), base64.b64decode(said["root"])
)
actuator = PipelineActuator(paths, {"scrubber": source})
gone, here = {"generation": None, "rows": []}, {"generation": source.generation, "digest": source.digest}

def step(target, action, resource, before, after):
    return Step(target, Action(action), resource, before, after, "test", "test")

attach = step(said["nic"], "attach", "xdp", {}, {"mode": "native", "pipeline": "scrubber"})
steps = {
    "up": [
        step("scrubber", "load", "instance", {}, here),
        step("scrubber", "configure", "deny_v4", {**here, "rows": []}, {**here, "rows": ["192.0.2.0/24"]}),
        step("scrubber", "configure", "deny_v6", {**here, "rows": []}, {**here, "rows": ["2001:db8::/32"]}),
        step("scrubber", "publish", "slot", gone, here),
        attach,
    ],
    "down": [attach.inverted(), step("scrubber", "publish", "slot", here, gone),
             step("scrubber", "unload", "instance", here, {})],
    "count": [],
}
for each in steps[said["verb"]]:
    actuator.apply(each)
    assert actuator.deviation(each) == "", actuator.deviation(each)
found = inventory(paths)
verdicts = []
if found.instances:
    with instance.open_map(paths, "scrubber", source.generation, "verdicts") as counters:
        for number in range(len(source.manifest.verdicts)):
            values = counters.lookup_percpu(number.to_bytes(4, "little"))
            verdicts.append(sum(int.from_bytes(value[:8], "little") for value in values))
tables = {name: list(rows) for each in found.instances for name, rows in each.tables.items()}
print(json.dumps({"verdicts": verdicts, "tables": tables, "links": [link.ifname for link in found.links]}))
"""


def packed(folder: Path) -> Path:
    archive = folder / "engine.tar"
    with tarfile.open(archive, "w") as out:
        for path in sorted(ENGINE.rglob("*.py")):
            out.add(path, f"wirespeed/{path.relative_to(ENGINE)}")
    return archive


def pipeline(node: Node, verb: str) -> Dict[str, Any]:
    source = scrubber()
    said = {
        "verb": verb,
        "nic": node.nics[0].interface,
        "manifest": source.manifest.to_json(),
        "object": base64.b64encode(source.object_bytes).decode(),
        "root": base64.b64encode(source.root_object).decode(),
    }
    return json.loads(node.ssh("python3 /root/pipeline.py", feed=json.dumps(said)).stdout)  # type: ignore[no-any-return]


def counted(node: Node, enough: int) -> List[int]:
    """The verdicts once as many frames have been counted as were sent; or what is there after many looks."""
    verdicts: List[int] = []
    for _ in range(20):
        verdicts = pipeline(node, "count")["verdicts"]
        if sum(verdicts) >= enough:
            break
    return verdicts


@pytest.mark.parametrize(("kernel", "nic"), [("6.1", "igb"), ("6.12", "vmxnet3"), ("newest", "virtio:queues=4:rss=on")])
def test_scrubber_filters_natively_and_counts_each_frame(
    node: Callable[..., Node], tmp_path: Path, kernel: str, nic: str
) -> None:
    machine = node(kernel, nic)
    dev = machine.nics[0].interface
    machine.put(packed(tmp_path), "/root/engine.tar")
    machine.ssh("mkdir -p /root/pipeline && tar -C /root/pipeline -xf /root/engine.tar")
    machine.ssh("cat > /root/pipeline.py", feed=_RUN)
    machine.ssh(f"sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set {dev} up")

    up = pipeline(machine, "up")
    assert up["tables"] == {"deny_v4": ["192.0.2.0/24"], "deny_v6": ["2001:db8::/32"]}
    assert up["links"] == [dev]
    assert json.loads(machine.out(f"ip -details -json link show {dev}"))[0]["xdp"]["mode"] == 1
    machine.ssh(f"bash -c 'until [ $(cat /sys/class/net/{dev}/carrier) = 1 ]; do read -t 0.1 < <(:); done'")
    before = pipeline(machine, "count")["verdicts"]
    with machine.wire() as wire:
        sent = wire.stream(COUNT, source="192.0.2.7")
        sent += wire.stream(COUNT, source="198.51.100.7")
        sent += wire.stream(COUNT, source="2001:db8::7", destination="2001:db8::100")
        sent += wire.stream(COUNT, source="192.0.2.7", vlans=[100, 7])
    after = counted(machine, sum(before) + sent)
    assert [b - a for a, b in zip(before, after)] == [COUNT, 0, 2 * COUNT, COUNT, 0]

    refused = machine.ssh(f"ip link set dev {dev} xdpdrv off", check=False)
    assert refused.returncode != 0 and "Can't replace active BPF XDP link" in refused.stderr
    pipeline(machine, "down")
    assert machine.out("ls /sys/fs/bpf") == ""
    assert "xdp" not in json.loads(machine.out(f"ip -details -json link show {dev}"))[0]
