# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet under `wirespeed.xdp.rollout`: nodes that filter, a sender for each, and a count of what got through.

``guard`` is the pipeline that it runs. Its edition tells who judges the packets now; from a packet on it may turn sour.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping

from tests.lab import frames, netns
from tests.ledger.stack import Stack
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, PYTHON, NetnsNode
from tests.pipelines import REPOSITORY, compiled

from .conftest import BIN, Answer, Control

DENIED, ALLOWED = "192.0.2.7", "198.51.100.7"
RATE = 200.0
PATIENCE = 60.0

GUARD = """
#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
WS_PIPELINE("guard", "1.0.0");
enum verdict { PASSED, DENIED, SPOILT, VERDICTS };
WS_VERDICTS(VERDICTS);
WS_RODATA(__u32, edition) = 1;
WS_RODATA(__u32, sour_after) = 0;
struct prefix { __u32 prefixlen; __u8 address[4]; };
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u8);
} denied SEC(".maps");
WS_MAP(BPF_MAP_TYPE_ARRAY, latest, __u32, __u32, 1, 0);
WS_MAP(BPF_MAP_TYPE_ARRAY, judged, __u32, __u64, 1, 0);
SEC("xdp") int guard(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct prefix source = { .prefixlen = 32 };
	__u32 zero = 0, *last = bpf_map_lookup_elem(&latest, &zero);
	__u64 *count = bpf_map_lookup_elem(&judged, &zero);

	if (!last || !count || (void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return ws_verdict(ctx, PASSED, XDP_PASS);
	*last = edition;
	__builtin_memcpy(source.address, &ip->saddr, sizeof(source.address));
	if (bpf_map_lookup_elem(&denied, &source))
		return ws_verdict(ctx, DENIED, XDP_DROP);
	if (sour_after && __sync_fetch_and_add(count, 1) > sour_after)
		return ws_verdict(ctx, SPOILT, XDP_DROP);
	return ws_verdict(ctx, PASSED, XDP_PASS);
}
char _license[] SEC("license") = "GPL";
"""
MANIFEST = """
manifest: 1
name: guard
version: "1.0.0"
object: guard.bpf.o
entry: guard
maps:
  denied: {role: config, table: prefix_set}
  latest: {role: state}
  judged: {role: scratch}
  verdicts: {role: stats}
verdicts:
  - {name: passed, action: pass}
  - {name: denied, action: drop}
  - {name: spoilt, action: drop}
constants: {edition: 1, sour_after: 0}
"""


@dataclass
class Member:
    """One node. ``sent`` denied frames went into its NIC; those that came past it are :attr:`escaped`."""

    node: NetnsNode
    sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def root(self) -> Path:
        """The node's file system, as this machine reaches it."""
        return Path(f"/proc/{self.node.init}/root")

    @contextlib.contextmanager
    def traffic(self) -> Iterator[None]:
        """Denied and allowed frames, all the time."""
        self.over.clear()
        with self.node.wire() as wire:
            sender = threading.Thread(target=lambda: wire.send(self._mixed(wire.mac), RATE), daemon=True)
            sender.start()
            try:
                yield
            finally:
                self.over.set()
                sender.join()

    def _mixed(self, mac: str) -> Iterator[bytes]:
        while not self.over.is_set():
            self.sent += 1
            yield frames.udp(mac, self.sent, source=DENIED)
            yield frames.udp(mac, self.sent, source=ALLOWED)

    def counting(self) -> Stack:
        """Denied frames that come past XDP while it is open."""
        return netns.inside(self.node.namespace, lambda: Stack(INTERFACE, DENIED))

    def inside(self, *command: str) -> str:
        """What a command says in the node's namespaces; without SSH, which may be away."""
        enter = ["nsenter", "--target", str(self.node.init), "--mount", "--net", "--pid", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def apply(self, files: Path, wanted: Mapping[str, Any]) -> None:
        """The engine of this checkout on the node, whose /tmp is not that of this machine."""
        folder = self.root / "root/guard"
        shutil.copytree(files, folder, ignore=lambda _folder, names: {n for n in names if not n.startswith("guard.")})
        intent = {key[len("wirespeed_") :]: value for key, value in wanted.items()}
        intent["pipelines"] = [{**each, "manifest": "guard.pipeline.yml"} for each in intent["pipelines"]]
        (folder / "intent.yml").write_text(json.dumps(intent))
        call = "import sys; from wirespeed.cli import main; sys.exit(main(['apply', '-f', '/root/guard/intent.yml']))"
        shutil.copytree(REPOSITORY / "plugins/module_utils/wirespeed", folder / "engine/wirespeed")
        self.inside("env", "PYTHONPATH=/root/guard/engine", PYTHON, "-B", "-c", call)
        shutil.rmtree(folder)

    def edition(self) -> int:
        """Of the program that judged the last packet: there must be traffic."""
        published = json.loads((self.root / "run/wirespeed/published/guard.json").read_text())[-1]["generation"]
        pin = f"/sys/fs/bpf/wirespeed/guard/{published}/maps/latest"
        shown = self.inside("bpftool", "-j", "map", "dump", "pinned", pin)
        return int(json.loads(shown)[0]["formatted"]["value"])

    def tuning(self) -> int:
        """The version of its tuning."""
        return int(json.loads((self.root / "var/lib/wirespeed/tuning.json").read_text())["changes"][-1]["version"])

    def gro(self) -> bool:
        return "generic-receive-offload: on" in self.inside("ethtool", "-k", INTERFACE)

    def underway(self) -> bool:
        """Whether a run has begun steps on it, and has neither kept nor undone them yet."""
        return (self.root / "var/lib/wirespeed/journal").exists()

    def published_in_run(self) -> bool:
        """Whether the run under way has come past its publish."""
        try:
            return '"action":"publish"' in (self.root / "var/lib/wirespeed/journal").read_text()
        except OSError:
            return False

    @contextlib.contextmanager
    def faulty(self) -> Iterator[None]:
        """A setting reads well and cannot be written, which no plan can know."""
        self.inside("mount", "-o", "remount,bind,ro", "/sys")
        try:
            yield
        finally:
            self.inside("mount", "-o", "remount,bind,rw", "/sys")

    def cut_off(self) -> None:
        """Its SSH sessions end, and no new one begins."""
        config = self.root / "etc/ssh/node/sshd_config"
        config.rename(config.with_suffix(".away"))
        here = os.readlink(f"/proc/{self.node.init}/ns/pid")
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "ns/pid") == here and (process / "comm").read_text().startswith("sshd"):
                    os.kill(int(process.name), signal.SIGKILL)

    def back(self) -> None:
        config = self.root / "etc/ssh/node/sshd_config"
        config.with_suffix(".away").rename(config)


@dataclass
class Fleet:
    """``variables`` of single hosts go before those of all."""

    control: Control
    members: List[Member]

    def __getitem__(self, number: int) -> Member:
        """From 1: the canary."""
        return self.members[number - 1]

    @property
    def results(self) -> Path:
        return self.control.work / "wirespeed-rollout"

    def wanted(self, edition: int, gro: bool, **constants: Any) -> Dict[str, Any]:
        tuning = {"features": {"rx-gro": gro}, "napi": {"defer-hard-irqs": edition}}
        return {
            "wirespeed_nics": [{"name": INTERFACE, "pipeline": "guard", "tuning": tuning}],
            "wirespeed_pipelines": [
                {
                    "name": "guard",
                    "manifest": str(self.control.work / "guard.pipeline.yml"),
                    "tables": {"denied": ["192.0.2.0/24"]},
                    "constants": {"edition": edition, **constants},
                }
            ],
        }

    @property
    def before(self) -> Dict[str, Any]:
        return self.wanted(1, gro=True)

    @property
    def after(self) -> Dict[str, Any]:
        return self.wanted(2, gro=False)

    def apply(self, wanted: Mapping[str, Any]) -> None:
        """By the engine on the nodes themselves, which is quicker than a playbook."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda member: member.apply(self.control.work, wanted), self.members))

    def without_tables(self, wanted: Mapping[str, Any]) -> Dict[str, Any]:
        pipelines = [{**each, "tables": {}} for each in wanted["wirespeed_pipelines"]]
        return {**wanted, "wirespeed_pipelines": pipelines}

    def with_document(self, denied: List[str]) -> Dict[str, Any]:
        """The code as before, and a document that denies these addresses."""
        document = self.control.work / "guard.document.yml"
        document.write_text(json.dumps({"pipeline": "guard", "tables": {"denied": denied}}))
        manifest = str(self.control.work / "guard.pipeline.yml")
        delivery = {"pipeline": "guard", "document": str(document), "manifest": manifest}
        return {**self.without_tables(self.before), "wirespeed_configurations": [delivery]}

    def command(
        self, playbook: str, wanted: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]], *arguments: str
    ) -> List[str]:
        own = {member.name: dict(hosts.get(member.name, {})) for member in self.members}
        shared = {"all": {**inventory([m.node for m in self.members], own)["all"], "vars": dict(wanted)}}
        (self.control.work / "inventory.json").write_text(json.dumps(shared))
        return ["-i", str(self.control.work / "inventory.json"), f"wirespeed.xdp.{playbook}", *arguments]

    def play(
        self,
        playbook: str,
        wanted: Mapping[str, Any],
        *arguments: str,
        hosts: Mapping[str, Mapping[str, Any]] = {},
    ) -> Answer:
        command = self.command(playbook, wanted, hosts, *arguments)
        return self.control.run("ansible-playbook", *command, ANSIBLE_PIPELINING="1", ANSIBLE_FORKS="5")

    @contextlib.contextmanager
    def playing(self, playbook: str, wanted: Mapping[str, Any], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """The same beside the body. What is left of it when the body is left is killed."""
        command = [str(BIN / "ansible-playbook"), *self.command(playbook, wanted, {}, *arguments)]
        settings = self.control.environment(ANSIBLE_PIPELINING="1", ANSIBLE_FORKS="5")
        with open(self.control.work / "output", "w+", encoding="utf-8") as output:
            started = subprocess.Popen(
                command, cwd=self.control.work, env=settings, stdout=output, stderr=output, text=True,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                yield started
            finally:
                kill(started)

    def output(self) -> str:
        return (self.control.work / "output").read_text()

    def record(self, number: int) -> Dict[str, Any]:
        file = self.results / "hosts" / f"{self[number].name}.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def summary(self) -> Dict[str, Any]:
        return dict(json.loads((self.results / "rollout.json").read_text()))

    def states(self) -> List[str]:
        """As the summary of the last rollout has them."""
        told = self.summary()["hosts"]
        return [told[member.name]["state"] for member in self.members]

    def editions(self) -> List[int]:
        return [member.edition() for member in self.members]

    def gro(self) -> List[bool]:
        return [member.gro() for member in self.members]

    @contextlib.contextmanager
    def filtering(self) -> Iterator[None]:
        """Every node gets denied frames for as long as the body runs; none may get through."""
        with contextlib.ExitStack() as stack:
            counters = [stack.enter_context(member.counting()) for member in self.members]
            for member in self.members:
                stack.enter_context(member.traffic())
            sent = [member.sent for member in self.members]
            yield
            escaped = {member.name: counter.frames for member, counter in zip(self.members, counters)}
            took = [member.sent - before for member, before in zip(self.members, sent)]
        assert not any(escaped.values()), f"denied frames got through: {escaped}"
        assert min(took) > 100, f"the senders hardly sent: {took}"


@contextlib.contextmanager
def netns_fleet(collections: Path, work: Path, count: int) -> Iterator[Fleet]:
    """Nodes that run edition 1 and deny, with GRO on."""
    (work / "guard.bpf.o").write_bytes(compiled(GUARD))
    (work / "guard.pipeline.yml").write_text(MANIFEST)
    with contextlib.ExitStack() as stack:
        members = []
        for number in range(1, count + 1):
            node = NetnsNode(f"fleet{number}")
            node.up(2)
            stack.callback(node.down)
            members.append(Member(node))
        yield Fleet(Control(collections, work), members)


def kill(control: "subprocess.Popen[str]") -> None:
    """As if the control node went down: ansible-playbook with all that it has started, workers and ssh too."""
    if control.poll() is None:
        os.kill(control.pid, signal.SIGSTOP)  # it starts nothing more
        for pid in [*_descendants(control.pid), control.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    control.wait()


def _descendants(pid: int) -> List[int]:
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for child in children for each in (*_descendants(child), child)]


def until(holds: Callable[[], bool], problem: Callable[[], str], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, problem()
        time.sleep(0.02)
