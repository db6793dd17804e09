# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trace is asked, how its comments are worded, and that its file is made of whole blocks."""

from __future__ import annotations

import argparse
from typing import Any, Dict, Iterator, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed import trace_verbs
from wirespeed.errors import BadInput, Place
from wirespeed.pipeline.trace_words import TraceWords
from wirespeed.trace import pcapng
from wirespeed.trace.options import By, Options
from wirespeed.trace.pcapng import Interface, Packet, Statistics
from wirespeed.trace.record import DRY_RUN, OWNED, READY, Note, Tally, tally
from wirespeed.trace.words import Commentator, masks

NAMES = ("pass", "denied", "no_connection")
WORDS = TraceWords(mitigations={"no_connection": "cm_cs"})


def blocks(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """Type and body of each block, whose length stands before and after it."""
    at = 0
    while at < len(data):
        kind, size = (int.from_bytes(data[at + offset : at + offset + 4], "little") for offset in (0, 4))
        assert size % 4 == 0 and data[at + size - 4 : at + size] == size.to_bytes(4, "little")
        yield kind, data[at + 8 : at + size - 4]
        at += size
    assert at == len(data)


@given(
    data=st.binary(max_size=99), comment=st.text(max_size=50), lost=st.integers(0, 2**32 - 1), at=st.integers(0, 2**63)
)
def test_a_packet_is_one_whole_block(data: bytes, comment: str, lost: int, at: int) -> None:
    packet = Packet(at, data, len(data), comment, lost, 7, 23, 1)
    ((kind, body),) = blocks(pcapng.packet(packet))
    assert kind == 6 and body[20 : 20 + len(data)] == data


def test_a_file_begins_with_a_section_and_ends_with_statistics() -> None:
    file = (
        pcapng.section("x86_64", "Linux node 6.12", "wirespeed")
        + pcapng.interface(Interface("scrubber@fexit", "enp1s0"))
        + pcapng.packet(Packet(1, b"frame", 5, "", 0, 1, 0, 1))
        + pcapng.statistics(Statistics(1, 2, 10, 5, 2, 3))
    )
    assert [kind for kind, dummy in blocks(file)] == [0x0A0D0D0A, 1, 6, 5]


@pytest.mark.parametrize(
    ("note", "comment"),
    [
        (Note(601, 1121, 1, 2, READY | OWNED), "cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]"),
        (Note(601, 7, 2, 2, READY | OWNED | DRY_RUN), "cus: 601, pol: 7, mitigation: cm_cs, verdict: [PASS], dry run"),
        (Note(0, 0, 1, 1, READY), "mitigation: denied, verdict: [DROP]"),
        (Note(0, 0, 2, 0, READY), "verdict: [PASS]"),
        (Note(0, 0, 3, 9, READY), "mitigation: 9, verdict: [TX]"),
        (Note(0, 0, 4, 0, 0), "verdict: [REDIRECT]"),
        (Note(0, 0, 17, 0, 0), "verdict: [17]"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_the_comment_says_what_is_known(note: Note, comment: str) -> None:
    assert Commentator(WORDS, NAMES).comment(note) == comment


def test_a_word_is_an_action_before_it_is_a_verdict() -> None:
    assert masks(["pass", "no_connection"], NAMES) == (1 << 2, 1 << 2)


def test_counts_are_those_of_all_cpus() -> None:
    cell = b"".join(number.to_bytes(8, "little") for number in (9, 5, 3, 1, 1))
    assert tally([cell, cell]) == Tally(seen=18, matched=10, written=6, limited=2, no_room=2)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"snaplen": 0}, "snaplen: is 0. Allowed: 1 to 16384."),
        ({"seconds": 1e6}, "seconds: is 1e+06. Allowed: 0.1 to 86400."),
        ({"sample": 0}, "sample: is 0."),
        ({"by": "fentry"}, "by: 'fentry' is not known here. Allowed: auto, build, fexit."),
        ({"swap": False, "by": "build"}, "swap: is off, but the trace build is put in by a swap."),
        ({"swap": False, "policy": 7}, "swap: is off: without its notes the pipeline does not tell whose a packet is."),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_what_can(said: Dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as refused:
        Options.of({"nic": "enp1s0", **said}, Place("trace"))
    assert str(refused.value).startswith(f"trace: {told}")


def test_what_is_left_out_has_its_default() -> None:
    assert Options.of({"nic": "enp1s0", "rate": None}, Place("trace")) == Options("enp1s0", by=By.AUTO)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--sample", "1/100"], ("sample", 100)),
        (["--for", "2m"], ("seconds", 120.0)),
        (["--max-bytes", "1.5M"], ("max_bytes", 1500000)),
    ],
    ids=str,
)
def test_numbers_have_units(words: "list[str]", value: Tuple[str, Any]) -> None:
    assert getattr(parsed(*words), value[0]) == value[1]


@pytest.mark.parametrize("words", [["--sample", "2/3"], ["--for", "10 years"], ["--max-bytes", "lots"]], ids=str)
def test_a_number_that_is_none_is_refused(words: "list[str]", capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)
    assert "is n" in capsys.readouterr().err


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()

    def verb(verbs: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(name, help=text)
        return made

    trace_verbs.add(parser.add_subparsers(), verb)
    return parser.parse_args(["trace", "enp1s0", "-w", "-", *words])
