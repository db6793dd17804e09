# SPDX-License-Identifier: GPL-3.0-or-later
"""The program and the model say the same of any packet under any configuration, and count the same.

WIRESPEED_SEED=N repeats a run, WIRESPEED_PACKETS=N makes it longer.
"""

from __future__ import annotations

import os
import time
from random import Random, SystemRandom
from typing import Any, Dict, FrozenSet, List, Optional, Set, Tuple

import pytest

from tests.pipelines import scrubber
from tests.probes import requires, requires_bpf
from tests.scrubber_model import chance as chances
from tests.scrubber_model import packet as packets
from tests.scrubber_model.configuration import Document
from tests.scrubber_model.judge import FEATURES, LETS_IN, Flow, Scrubber

from .scrubber_here import Loaded, loaded

pytestmark = [requires_bpf, requires("clang")]

PACKETS = int(os.environ.get("WIRESPEED_PACKETS", "100000"))
EACH = 2000
"""Packets under one configuration."""
ENOUGH = 50
"""Configurations, after which no verdict is left out by chance."""
A_TOKEN = 0.9
"""Seconds, less than in which one comes back (chance.policy)."""
DROP, LET_IN, SENT_BACK = 1, 2, 3  # XDP_DROP, XDP_PASS, XDP_TX


class TooSlow(Exception):
    """Tokens may have come back meanwhile: what was seen says nothing."""


class Run:
    """One configuration, in the program and in the model."""

    def __init__(self, program: Loaded, document: Document, without: FrozenSet[str]) -> None:
        program.write(document)
        self.program, self.model = program, Scrubber(document, without)
        self.began = time.monotonic()
        self.cookies: List[bytes] = []
        """RSTs that show where their sender is."""

    def judge(self, frame: bytes) -> Tuple[str, int]:
        """The model's verdict, and the program's action; a challenge is taken note of."""
        verdict = self.model.judge(frame)
        ran = self.program.program.test_run(frame)
        if ran.action == SENT_BACK:
            answer = packets.network(ran.frame)
            packets.transport(answer)
            number = ran.frame[answer.transport + 8 : answer.transport + 12]
            self.model.answered(frame, int.from_bytes(number, "big"))
            self.cookies.append(refusal(frame, number))
        return verdict, ran.action

    def check_time(self) -> None:
        if time.monotonic() - self.began > A_TOKEN:
            raise TooSlow

    def differs(self) -> str:
        """What was counted otherwise; empty when nothing was."""
        model, program = self.model, self.program
        verdicts = {name: (count, model.bytes[name]) for name, count in model.verdicts.items()}
        pairs = [
            (verdicts, program.counts()),
            (dict(model.entities), program.entities()),
            (dict(model.events), program.events()),
            (_flows(model), program.flows()),
        ]
        return "; ".join(f"model {said}, program {found}" for said, found in pairs if said != found)


def _flows(model: Scrubber) -> Dict[Flow, str]:
    """Of UDP the program keeps no state but that there is one."""
    return {flow: "established" if flow[2] == packets.UDP else state for flow, state in model.flows.items()}


def refusal(syn: bytes, number: bytes) -> bytes:
    """The RST that a client sends when ``number`` is acknowledged in place of its SYN."""
    packet = packets.network(syn)
    packets.transport(packet)
    at = packet.transport
    return syn[: at + 4] + number + bytes(4) + b"\x50\x04" + syn[at + 14 : at + 20] + syn[at + 20 :]


def action_of(verdict: str) -> int:
    return LET_IN if verdict in LETS_IN else SENT_BACK if verdict == "syn_challenge" else DROP


def run_one(seed: int, met: Set[str], every: bool = False) -> Optional[str]:
    """The first difference under the configuration of ``seed``. Verdicts go into ``met``.

    ``every``: counters are read after each packet.
    """
    chance = Random(seed)
    document = chances.document(chance)
    without = frozenset(chances.some(chance, FEATURES, 3)) if chance.random() < 0.5 else frozenset()
    source = scrubber().with_constants({f"with_{name}": name not in without for name in FEATURES})
    with loaded(source) as program:
        run, frame = Run(program, document, without), chances.frame(chance)
        for number in range(EACH):
            frame = next_frame(chance, run.cookies, frame)
            verdict, action = run.judge(frame)
            met.add(verdict)
            differs = "" if action == action_of(verdict) else f"model {verdict}, program action {action}"
            if every or differs:
                differs = differs or run.differs()
            if differs:
                run.check_time()
                return f"packet {number} {frame.hex()}: {differs}; without {sorted(without)}, document {document}"
        differs = run.differs()
        run.check_time()
    return differs or None


def next_frame(chance: Random, cookies: List[bytes], before: bytes) -> bytes:
    luck = chance.random()
    if luck < 0.1 and cookies:
        return chance.choice(cookies)
    return chances.another_of(chance, before) if luck < 0.4 else chances.frame(chance)


def told(seed: int, differs: str) -> str:
    try:
        differs = run_one(seed, set(), every=True) or differs
    except TooSlow:
        pass
    return f"seed {seed}: {differs}"


def again(seed: int, met: Set[str], tries: int = 5) -> Optional[str]:
    for dummy in range(tries):
        try:
            return run_one(seed, met)
        except TooSlow:
            continue
    pytest.fail(f"{tries} times {EACH} packets took longer than {A_TOKEN} s")


def test_any_packet_meets_the_fate_that_the_model_says(record_property: Any) -> None:
    seed = int(os.environ.get("WIRESPEED_SEED", SystemRandom().randrange(1 << 32)))
    print(f"WIRESPEED_SEED={seed}")
    seeds = range(seed, seed + max(1, PACKETS // EACH))
    met: Set[str] = set()
    for each in seeds:
        differs = again(each, met)
        assert differs is None, told(each, differs)
    if len(seeds) >= ENOUGH:
        assert met == {verdict.name for verdict in scrubber().manifest.verdicts}
    record_property("told", f"scrubber and its model agree on {len(seeds) * EACH} packets, seed {seed}")
