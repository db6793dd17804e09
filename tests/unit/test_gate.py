# SPDX-License-Identifier: GPL-3.0-or-later
"""What the health gate complains of, what it lets pass, and how long it waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate_cases import BROKEN, CHECK, Measured, Slowly, gate, health, nic, window
from wirespeed.counters.gate import GateFailed, beyond_recovery, cautions, judge
from wirespeed.counters.health_window import Growth, HealthWindow, NicWindow
from wirespeed.pipeline.checks import Bound, Health

Case = Tuple[HealthWindow, HealthWindow, Health]

SAME = window()
SHARE = {"malformed": {"max_share": 0.02}}
CHANGE = {"denied": {"max_change": 0.05}}

COMPLAINTS: Dict[str, Tuple[Case, str]] = {
    "share": (
        (SAME, window(8000, 779, malformed=1208), health(verdicts=SHARE)),
        "verdict malformed is 12.1 % of 9,987 packets, at most 2 % is allowed (health.verdicts.malformed.max_share)",
    ),
    "share, barely": (
        (SAME, window(97_999, 0, malformed=2001), health(verdicts=SHARE)),
        "verdict malformed is 2.001 % of 100,000 packets, at most 2 % is allowed (health.verdicts.malformed.max_share)",
    ),
    "share, of none allowed": (
        (SAME, window(99_999, 0, malformed=1), health(verdicts={"malformed": {"max_share": 0}})),
        "verdict malformed is 0.001 % of 100,000 packets, at most 0 % is allowed (health.verdicts.malformed.max_share)",
    ),
    "change of a named verdict": (
        (SAME, window(8000, 2000), health(verdicts=CHANGE)),
        (
            "verdict denied went from 10 % of 10,000 packets to 20 % of 10,000, by 10 points, "
            "at most 5 are allowed (health.verdicts.denied.max_change)"
        ),
    ),
    "change downwards": (
        (SAME, window(10_000, 0), health(verdicts=CHANGE)),
        (
            "verdict denied went from 10 % of 10,000 packets to 0 % of 10,000, by 10 points, "
            "at most 5 are allowed (health.verdicts.denied.max_change)"
        ),
    ),
    "change of any verdict": (
        (SAME, window(9000, 900, malformed=100), health(max_change=0.009)),
        (
            "verdict denied went from 10 % of 10,000 packets to 9 % of 10,000, by 1 points, "
            "at most 0.9 are allowed (health.max_change); "
            "verdict malformed went from 0 % of 10,000 packets to 1 % of 10,000, by 1 points, "
            "at most 0.9 are allowed (health.max_change)"
        ),
    ),
    "a verdict that is new": (
        (
            SAME,
            window(verdicts={"pass": 9000, "challenged": 1000}),
            health(verdicts={"challenged": {"max_change": 0.05}}),
        ),
        (
            "verdict challenged went from 0 % of 10,000 packets to 10 % of 10,000, by 10 points, "
            "at most 5 are allowed (health.verdicts.challenged.max_change)"
        ),
    ),
    "a verdict that is gone": (
        (SAME, window(verdicts={"pass": 9500, "challenged": 500}), health(max_change=0.06)),
        (
            "verdict denied went from 10 % of 10,000 packets to 0 % of 10,000, by 10 points, "
            "at most 6 are allowed (health.max_change)"
        ),
    ),
    "errors": (
        (window(nics={"eth1": nic(error=2)}), window(nics={"eth1": nic(error=9, aborted=4)}), health(max_errors=10)),
        (
            "the NICs counted 13 errors (eth1 error 9, eth1 xdp_aborted 4), 2 before, "
            "at most 10 more are allowed (health.max_errors)"
        ),
    ),
    "an empty slot": (
        (SAME, window(unseen=1234), health()),
        "1,234 packets met an empty slot of the root and were judged by no program, at most 0 may",
    ),
    "an empty slot, and no traffic before": (
        (window(0, 0), window(0, 0, unseen=2), health()),
        "2 packets met an empty slot of the root and were judged by no program, at most 0 may",
    ),
    "nothing published": (
        (SAME, window(verdicts=None, why="Nothing is published.", generation=None), health()),
        "no generation is published any more, aaaaaaaaaaaa was before",
    ),
    "silence": (
        (SAME, window(0, 0, nics={"eth1": nic(frames=700), "eth2": nic(frames=None)}), health()),
        "0 packets were judged, 10,000 were before, although the NICs took in 700 frames",
    ),
    "what held no longer does": (
        (SAME, window(findings={CHECK: BROKEN}, sound=frozenset()), health()),
        f"what held before does not any more: {BROKEN.rstrip('.')}",
    ),
}

SILENT: Dict[str, Case] = {
    "a share as high as allowed": (SAME, window(9800, 0, malformed=200), health(verdicts=SHARE)),
    "a change as large as allowed": (SAME, window(8500, 1500), health(verdicts=CHANGE)),
    "a change that floating point would exceed": (
        window(9000, 1000),
        window(6000, 4000),
        health(verdicts={"denied": {"max_change": 0.3}}),
    ),
    "no bound": (SAME, window(0, 10_000), health()),
    "a named verdict, which the general bound leaves out": (
        SAME,
        window(9100, 900),
        health(max_change=0.009, verdicts={"denied": {"max_share": 1}, "pass": {"max_share": 1}}),
    ),
    "another rate": (SAME, window(90_000, 10_000), health(max_change=0)),
    "too few packets before": (window(899, 100), window(0, 5000), health(max_change=0, verdicts=SHARE)),
    "too few packets after": (SAME, window(0, 0, malformed=999), health(max_change=0, verdicts=SHARE)),
    "no traffic before": (
        window(0, 0, nics={"eth1": nic(frames=0)}, sound=frozenset()),
        window(0, 0, malformed=9000, nics={"eth1": nic(error=9)}, findings={CHECK: BROKEN}, sound=frozenset()),
        health(max_change=0, verdicts=SHARE),
    ),
    "no traffic at all after": (SAME, window(0, 0, nics={"eth1": nic(frames=0)}), health()),
    "no verdict after, and no NIC that tells": (SAME, window(0, 0, nics={"eth1": nic(frames=None)}), health()),
    "verdicts that cannot be told after": (SAME, window(verdicts=None, why="The map was replaced."), health()),
    "no more errors": (window(nics={"eth1": nic(error=50)}), window(nics={"eth1": nic(error=50)}), health()),
    "errors within the bounds of the reading": (
        window(nics={"eth1": NicWindow(9, {"error": Growth(4, 6)})}),
        window(nics={"eth1": NicWindow(9, {"error": Growth(6, 9)})}),
        health(),
    ),
    "errors that were not told before": (
        window(nics={"eth1": nic(error=None)}),
        window(nics={"eth1": nic(error=50)}),
        health(),
    ),
    "errors that are not told after": (
        window(nics={"eth1": nic(error=50)}),
        window(nics={"eth1": nic(error=None)}),
        health(),
    ),
    "errors of a NIC that was not there before": (
        SAME,
        window(nics={"eth1": nic(), "eth2": nic(error=50)}),
        health(),
    ),
    "what was broken before": (
        window(findings={CHECK: BROKEN}, sound=frozenset()),
        window(findings={CHECK: BROKEN.replace("9", "20")}, sound=frozenset()),
        health(),
    ),
    "what could not be judged before": (
        window(sound=frozenset()),
        window(findings={CHECK: BROKEN}, sound=frozenset()),
        health(),
    ),
}

CAUTIONS: Dict[str, Tuple[Case, str]] = {
    "too few": (
        (window(899, 100), SAME, health()),
        (
            "Shares of verdicts were not judged: 999 packets came before the publish and 10,000 after it, "
            "fewer than 1,000 tell nothing (health.min_packets)."
        ),
    ),
    "no traffic before": (
        (window(0, 0), SAME, health()),
        "No packet was judged in the window before the publish, so there was nothing to compare with.",
    ),
    "verdicts untold before": (
        (window(verdicts=None, why="Nothing is published."), SAME, health()),
        "Shares of verdicts were not judged: those before the publish could not be told: Nothing is published.",
    ),
    "verdicts untold after": (
        (SAME, window(verdicts=None, why="The map was replaced."), health()),
        "Shares of verdicts were not judged: those after the publish could not be told: The map was replaced.",
    ),
    "broken, perhaps before too": (
        (window(sound=frozenset()), window(findings={CHECK: BROKEN}, sound=frozenset()), health()),
        f"Whether this was so before the publish could not be told: {BROKEN}",
    ),
    "a NIC untold": (
        (SAME, window(nics={"eth1": NicWindow(why="its link went away.")}), health()),
        "eth1: its counters were not judged, after the publish: its link went away.",
    ),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_complaint_has_both_numbers(name: str) -> None:
    case, sentence = COMPLAINTS[name]
    assert "; ".join(judge(*case)) == sentence


@pytest.mark.parametrize("name", SILENT)
def test_no_complaint_of(name: str) -> None:
    assert judge(*SILENT[name]) == ()


@pytest.mark.parametrize("name", CAUTIONS)
def test_what_could_not_be_judged_is_told(name: str) -> None:
    case, sentence = CAUTIONS[name]
    assert cautions(*case) == (sentence,)


def test_two_sound_windows_leave_nothing_to_tell() -> None:
    assert cautions(SAME, SAME, health()) == ()


def test_what_was_broken_all_along_is_not_told() -> None:
    broken = window(findings={CHECK: BROKEN}, sound=frozenset())
    assert cautions(broken, broken, health()) == ()


COUNTS = st.dictionaries(st.sampled_from(["pass", "denied", "malformed"]), st.integers(0, 10**12))
SHARES = st.none() | st.floats(0, 1)


@st.composite
def windows(draw: Any) -> HealthWindow:
    errors = [Growth(low, low + draw(st.integers(0, 9))) for low in draw(st.lists(st.integers(0, 99), max_size=2))]
    told = NicWindow(draw(st.none() | st.integers(0, 10**6)), dict(zip(("error", "xdp_aborted"), errors)))
    found = draw(st.dictionaries(st.sampled_from("abc"), st.just(BROKEN)))
    sound = draw(st.frozensets(st.sampled_from("abc"))) - found.keys()
    return window(verdicts=draw(st.none() | COUNTS), nics={"eth1": told}, findings=found, sound=sound)


@st.composite
def changes_only(draw: Any) -> Health:
    """Bounds of changes: of these, a pair of equal windows can break none."""
    verdicts = {name: Bound(max_change=draw(SHARES)) for name in draw(st.sets(st.sampled_from(["pass", "denied"])))}
    return Health(10.0, draw(st.integers(0, 2000)), draw(SHARES), verdicts, draw(st.integers(0, 5)))


@given(windows(), changes_only())
def test_equal_windows_never_complain(both: HealthWindow, bounds: Health) -> None:
    assert judge(both, both, bounds) == ()


@given(windows(), windows(), changes_only(), st.floats(0, 1))
def test_what_is_beyond_recovery_is_complained_of(
    before: HealthWindow, after: HealthWindow, bounds: Health, share: float
) -> None:
    strict = replace(bounds, verdicts={"denied": Bound(max_share=share)})
    if beyond_recovery(before, after, strict):
        assert any("health.verdicts.denied.max_share" in complaint for complaint in judge(before, after, strict))


def test_the_rest_of_a_window_could_mend_a_share() -> None:
    """1,000 of 5,000 in half the time are too many, and 1,000 of 10,000 are not."""
    so_far = window(4000, 1000, seconds=5.0)
    bounds = health(verdicts={"denied": {"max_share": 0.1}})
    assert judge(SAME, so_far, bounds) and not beyond_recovery(SAME, so_far, bounds)


def test_one_packet_too_many_even_if_all_to_come_are_others_is_beyond_recovery() -> None:
    assert beyond_recovery(SAME, window(3999, 1001, seconds=5.0), health(verdicts={"denied": {"max_share": 0.1}}))


def test_as_many_packets_may_come_as_before() -> None:
    """600 of 1,600 in half the time; with 8,400 more they are 6 %."""
    assert not beyond_recovery(SAME, window(1000, 600, seconds=5.0), health(verdicts={"denied": {"max_share": 0.1}}))


def test_as_many_packets_may_come_as_at_the_rate_so_far() -> None:
    """1,500 of 11,500 in half the time; with as many again they are 6.5 %."""
    assert not beyond_recovery(SAME, window(10_000, 1500, seconds=5.0), health(verdicts={"denied": {"max_share": 0.1}}))


def test_few_packets_of_a_slow_start_are_not_beyond_recovery() -> None:
    so_far = window(0, 999, seconds=5.0)
    assert not beyond_recovery(SAME, so_far, health(verdicts={"denied": {"max_share": 0}}))


def test_a_packet_that_met_an_empty_slot_is_beyond_recovery() -> None:
    assert beyond_recovery(SAME, window(0, 0, unseen=1, seconds=0.1), health())


def test_each_window_is_as_long_as_the_manifest_says() -> None:
    slowly = Slowly()
    asked = gate(slowly, health(window=7.25), SAME, SAME)
    asked.before()
    first = slowly.time
    assert asked.after() == ()
    assert (first, slowly.time) == (pytest.approx(7.25), pytest.approx(14.5))


def test_a_gate_that_fails_for_sure_does_not_wait() -> None:
    slowly = Slowly()
    asked = gate(slowly, health(verdicts=SHARE), SAME, window(0, 0, malformed=12_000))
    asked.before()
    with pytest.raises(GateFailed, match=r"The window was ended after 0\.9 s") as failed:
        asked.after()
    assert slowly.time == pytest.approx(10.9)
    assert failed.value.after.to_json()["ended_early"] is True


@pytest.mark.parametrize(
    ("bounds", "after"),
    [
        (health(verdicts=CHANGE), window(8000, 2000)),
        (health(verdicts=SHARE), window(9799, 0, malformed=201)),  # one too many, and it is the last
    ],
)
def test_a_gate_that_fails_at_the_end_does_not_say_that_it_ended_early(bounds: Health, after: HealthWindow) -> None:
    slowly = Slowly()
    asked = gate(slowly, bounds, SAME, after)
    asked.before()
    with pytest.raises(GateFailed) as failed:
        asked.after()
    assert (slowly.time, failed.value.after.ended_early) == (pytest.approx(20.0), False)
    assert "was ended" not in str(failed.value)


def test_a_window_whose_end_shows_recovery_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = Slowly()
    asked = gate(slowly, health(verdicts=SHARE), SAME, SAME)
    asked.before()
    last = Measured(slowly, window(0, 0, malformed=10_000), [SAME] * 100)
    monkeypatch.setattr(asked, "_begin", lambda: last)
    assert asked.after() == ()
    assert slowly.time == pytest.approx(20.0)


def test_a_failed_gate_tells_its_complaints_and_what_becomes_of_the_publish() -> None:
    asked = gate(Slowly(), health(max_change=0.01, max_errors=0), SAME, window(8000, 2000, nics={"eth1": nic(error=3)}))
    asked.before()
    with pytest.raises(GateFailed) as failed:
        asked.after()
    text, complaints = str(failed.value), failed.value.complaints
    assert len(complaints) == 3 and all(complaint in text for complaint in complaints)
    assert text.startswith("Pipeline edge misbehaves since it was published: verdict pass went from 90 %")
    assert "The earlier generation is being put back." in text


def test_a_gate_without_a_window_before_passes_and_says_so() -> None:
    (said,) = gate(Slowly(), health(max_change=0), window(0, 10_000)).after()
    assert said.endswith("those before the publish could not be told: there was no window before it.")


def test_a_window_is_plain_data() -> None:
    told = window(nics={"eth1": nic(error=None, aborted=2)}, findings={CHECK: BROKEN}).to_json()
    assert told == {
        "seconds": 10.0,
        "ended_early": False,
        "generation": "aaaaaaaaaaaa",
        "packets": 10000,
        "verdicts": {"pass": 9000, "denied": 1000, "malformed": 0},
        "why": "",
        "empty_slot": 0,
        "nics": {"eth1": {"frames": 10000, "errors": {"error": None, "xdp_aborted": [2, 2]}, "why": ""}},
        "findings": [BROKEN],
    }
