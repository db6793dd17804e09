# SPDX-License-Identifier: GPL-3.0-or-later
"""The chapters, in the order in which they are told. Each one fails loudly when what it tells is not so."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Tuple

from . import cards, ledger, play, traffic, verdicts
from .fleet import Fleet, Member
from .say import check, command, good, line
from .table import columns

ROOT = Path(__file__).parent.parent
VARIANT = ROOT / "build/variant/scrubber.pipeline.yml"
BURST_SECONDS = 2
VERIFY = {
    "wirespeed_verify_counters": True,
    "wirespeed_verify_window_seconds": 2.0,
    "wirespeed_verify_min_packets": 100,
}


@dataclass
class Story:
    """What one chapter leaves for the next: the last result of every node."""

    fleet: Fleet
    results: Dict[str, play.Result] = field(default_factory=dict)


def meet(story: Story) -> None:
    rows = [["node", "kernel", "NIC", "driver", "address"]]
    for member in story.fleet.members:
        nic = member.node.nics[0]
        member.node.ssh(f"ip link set {nic.interface} up")
        rows.append([member.name, member.node.out("uname -r"), nic.interface, nic.driver, nic.mac])
    for text in columns(rows):
        line(text)
    line(f"Wanted on each: the NIC carries the scrubber, which drops what comes from {traffic.DENIED_PREFIX}.")


def predict(story: Story) -> None:
    predicted = play.run(story.fleet, play.SITE, arguments=["--check", "--diff"])
    for member in story.fleet.members:
        line(f"{member.name}: {len(predicted[member.name].steps)} steps foreseen")
        check(not attached(member), f"{member.name}: check mode attached a program.")
    story.results = predicted


def attached(member: Member) -> bool:
    return "prog/xdp" in member.node.out(f"ip -details link show dev {member.nic}")


def converge(story: Story) -> None:
    predicted = {name: result.steps for name, result in story.results.items()}
    with traffic.flowing(story.fleet):
        story.results = play.run(story.fleet, play.SITE, extra=VERIFY)
    for member in story.fleet.members:
        result = story.results[member.name]
        line()
        for text in cards.lines(member, result):
            line(text)
        foreseen = predicted[member.name]
        check(result.steps == foreseen, f"{member.name}: the run took other steps than check mode said: {foreseen}")
        check(attached(member), f"{member.name}: `ip link` shows no XDP program.")
        mode = result.nic["xdp"]["mode"]
        check(mode == "native", f"{member.name}: XDP is attached in mode {mode}, not native.")
    line()
    good("the steps are those that check mode listed; XDP is native on every NIC; the counters add up under traffic")


def count(story: Story) -> None:
    members = story.fleet.members
    readings = {each.name: verdicts.Reading(each) for each in members}
    sent = traffic.burst(members, BURST_SECONDS)
    _account(readings, sent)
    good("every frame from the denied prefix was dropped, every other one passed; bpftool read the verdicts")


def _account(readings: Dict[str, verdicts.Reading], sent: Dict[str, traffic.Sent]) -> None:
    counted = {name: reading.growth(sent[name].all) for name, reading in readings.items()}
    for text in ledger.lines(sent, counted):
        line(text)
    ledger.hold(sent, counted)


def repeat(story: Story) -> None:
    again = play.run(story.fleet, play.SITE)
    for member in story.fleet.members:
        first, second = story.results[member.name], again[member.name]
        check(second.changed_tasks == 0, f"{member.name}: the second run changed something: {second.steps}")
        for fact in ("xdp", "carrier_changes", "settings"):
            was, now = first.nic[fact], second.nic[fact]
            check(was == now, f"{member.name}: {fact} was {was} and is {now} after a run that changed nothing.")
    story.results = again
    good("changed=0 everywhere; the same program ids, no carrier change")


def tamper(story: Story) -> None:
    member = story.fleet.members[0]
    deeds = _tamper(member)
    for told in deeds:
        command(f"{member.name}# {told}")
    after_tampering = _condition(member)
    reports = play.run(story.fleet, play.DRIFT)
    for other in story.fleet.members:
        for text in reports[other.name].drift:
            line(f"{other.name}: {text}")
    _hold_drift(story, member, reports)
    check(_condition(member) == after_tampering, f"{member.name}: drift changed something, though it only compares.")
    good("drift named exactly what was tampered with, and changed nothing")
    story.results.update(_repair(story, member))


def _tamper(member: Member) -> List[str]:
    link = f"/sys/fs/bpf/wirespeed/links/{member.nic}"
    deeds = [f"bpftool link detach pinned {link}", member.tampering.command.format(nic=member.nic)]
    for deed in deeds:
        member.node.ssh(deed)
    check(not attached(member), f"{member.name}: the link was detached, but the program is still there.")
    return deeds


def _condition(member: Member) -> Tuple[str, bool]:
    """Setting and attachment as the ethtool and ip commands show them."""
    return member.node.out(member.tampering.show.format(nic=member.nic)), attached(member)


def _hold_drift(story: Story, tampered: Member, reports: Dict[str, play.Result]) -> None:
    wanted = {tampered.tampering.path.format(nic=tampered.nic), f"{tampered.nic}.xdp"}
    for member in story.fleet.members:
        found = {str(deviation["path"]) for deviation in reports[member.name].node["deviations"]}
        expected = wanted if member is tampered else set()
        check(found == expected, f"{member.name}: drift named {sorted(found)}, not {sorted(expected)}.")


def _repair(story: Story, tampered: Member) -> Dict[str, play.Result]:
    repaired = play.run(story.fleet, play.SITE)
    for text in repaired[tampered.name].steps:
        line(text)
    for member in story.fleet.members:
        steps = repaired[member.name].steps
        check(bool(steps) == (member is tampered), f"{member.name}: the repair took these steps: {steps}")
    before, after = (results[tampered.name].nic["settings"] for results in (story.results, repaired))
    check(after == before, f"{tampered.name}: the settings were {before}, and are {after} after the repair.")
    check(attached(tampered), f"{tampered.name}: after the repair no program is attached.")
    good(f"{tampered.name} is as it was, the others were not touched")
    return repaired


def swap(story: Story) -> None:
    line(f"The inventory now names {VARIANT.relative_to(ROOT)}, another build of the same pipeline.")
    command("make -C bpf variant")
    subprocess.run(["make", "-s", "-C", str(ROOT / "bpf"), "variant"], check=True, stdin=subprocess.DEVNULL)
    members = story.fleet.members
    readings = {each.name: verdicts.Reading(each) for each in members}
    with traffic.flowing(story.fleet) as sent:
        swapped = play.run(story.fleet, play.SITE, manifest=VARIANT)
    for member in members:
        now = verdicts.program(member)
        line(f"{member.name}: program {readings[member.name].program} -> {now} in slot 0")
        check(now != readings[member.name].program, f"{member.name}: the slot holds the program that it held before.")
        _hold_swap(member.name, story.results[member.name], swapped[member.name])
    story.results = swapped
    _account(readings, sent)
    good("0 frames unaccounted: each met the old code or the new, none met neither; no carrier moved")


def _hold_swap(name: str, old: play.Result, new: play.Result) -> None:
    for text in new.steps:
        line(f"   {text}")
    ids = [result.nic["xdp"]["prog_id"] for result in (old, new)]
    check(ids[0] == ids[1], f"{name}: the attached root was replaced (program {ids[0]} -> {ids[1]}).")
    carrier = [result.nic["carrier_changes"] for result in (old, new)]
    check(carrier[0] == carrier[1], f"{name}: the carrier changed {carrier[1] - carrier[0]} times.")


CHAPTERS: List[Any] = [
    ("The fleet", meet),
    ("What would be done (check mode)", predict),
    ("Tune, attach, load, and verify the counters under traffic", converge),
    ("Every frame counted", count),
    ("The same again: nothing to do", repeat),
    ("Somebody tampers; drift tells; site repairs", tamper),
    ("New code under traffic", swap),
]
