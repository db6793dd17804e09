# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exporter's counters are made of, what its metrics are called, and what its options take."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probes import requires
from wirespeed.counters.table import Alternative, Confidence, Counter, KernelRange, Scope
from wirespeed.counters.unify import Part, Reading
from wirespeed.errors import BadInput
from wirespeed.exporter import metrics, passwords, web_config
from wirespeed.exporter.continuity import Continuous, MapTotals, NicTotals
from wirespeed.exporter.metrics import Kind
from wirespeed.exporter_verbs import address

NARROW = 32


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.booleans()), min_size=1))
def test_a_counter_goes_on_over_resets(steps: List[Tuple[int, bool]]) -> None:
    """The raw counter grows, or begins anew and has grown by so much: what is told grows by just that."""
    counter, raw, expected = Continuous(), 0, 0
    counter.told("it", 0)
    for grown, anew in steps:
        fell = anew and grown < raw  # a reset that has caught up cannot be told from growth
        raw = grown if fell else raw + grown
        expected += grown
        assert counter.told("it", raw) == expected


def test_a_narrow_counter_wraps() -> None:
    counter, high = Continuous(), (1 << NARROW) - 10
    counter.told("it", high, NARROW)
    assert counter.told("it", 5, NARROW) == high + 15


def reading(queues: Dict[int, int], name: str = "rx", counter: Counter = Counter.DRIVER_PACKETS) -> Reading:
    source, kernel = Confidence.SOURCE, KernelRange()
    way = Alternative((), (), "", Scope.QUEUE_SUM, None, None, frozenset(), source, kernel, 64, 0, "", "")
    parts = tuple(Part(name, queue, 1, value) for queue, value in queues.items())
    return Reading(counter, sum(queues.values()), "", way, parts)


def test_a_queue_that_is_gone_stays_in_the_sum() -> None:
    totals = NicTotals()
    assert totals.told("eth1", reading({0: 10, 1: 20}))[0] == 30
    assert totals.told("eth1", reading({0: 12})) == (32, {0: 12})
    assert totals.told("eth1", reading({0: 12, 1: 3}))[0] == 35


def test_rings_that_were_made_again_lose_nothing() -> None:
    totals = NicTotals()
    totals.told("eth1", reading({0: 10, 1: 20}))
    assert totals.told("eth1", reading({0: 1, 1: 2})) == (33, {0: 11, 1: 22})


def test_other_raw_counters_count_from_where_they_are() -> None:
    totals = NicTotals()
    totals.told("eth1", reading({0: 10}))
    assert totals.told("eth1", reading({0: 500}, "other"))[0] == 10
    assert totals.told("eth1", reading({0: 507}, "other"))[0] == 17


def test_nics_do_not_share_counters() -> None:
    totals = NicTotals()
    totals.told("eth1", reading({0: 10}))
    assert totals.told("eth2", reading({0: 4}))[0] == 4


def test_a_map_that_was_taken_over_is_not_counted_twice() -> None:
    totals = MapTotals()
    totals.told(1, {"drop": 100}, reset=False)
    totals.told(2, {"drop": 107}, reset=False)
    assert totals.values == {"drop": 107}


def test_a_map_that_began_empty_goes_on_from_the_one_before() -> None:
    totals = MapTotals()
    totals.told(1, {"drop": 100}, reset=False)
    totals.told(2, {"drop": 250}, reset=True)
    assert totals.values == {"drop": 350}


def test_a_map_that_a_rollback_brings_back_adds_what_it_grew_by_since() -> None:
    totals = MapTotals()
    totals.told(1, {"drop": 1000}, reset=False)
    totals.told(2, {"drop": 50}, reset=True)
    totals.told(1, {"drop": 1001}, reset=False)
    assert totals.values == {"drop": 1051}


def test_names_follow_the_rules_of_prometheus() -> None:
    for metric in metrics.every():
        assert re.fullmatch(r"wirespeed(_[a-z]+)+", metric.name), metric.name
        assert metric.help.endswith("."), metric.name
        assert not metric.name.endswith("_total") and (metric.kind is Kind.COUNTER or "_total" not in metric.sample)
        assert not metric.unit or metric.name.endswith(f"_{metric.unit}"), metric.name
    assert len(metrics.by_name()) == len(metrics.every())


def test_each_word_of_the_vocabulary_has_its_metric() -> None:
    told = [metrics.of_counter(counter) for counter in Counter]
    assert len(set(told)) == len(Counter)
    assert all(len(labels) == len(metric.labels) - 1 for metric, labels in told)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9742", ("127.0.0.1", 9742)),
        ("[::1]:80", ("::1", 80)),
        (":9742", ("", 9742)),
        ("node:1", ("node", 1)),
    ],
)
def test_addresses(text: str, expected: Tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["9742", "::1:9742", "node:port", "node:70000", ""])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match=r"--listen: .* is no address and port\. Write ADDRESS:PORT, 127"):
        address(text)


def written(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tls_server_config:\n  cert_file: a\n", r"web.yml:1: tls_server_config: has no 'key_file'"),
        ("http_server_config: {http2: true}\n", r"web.yml:1: .*http_server_config.*basic_auth_users"),
        ("basic_auth_users:\n  scraper: plain\n", r"web.yml:2: basic_auth_users.scraper"),
        ("tls_server_config: {cert_file: none.pem, key_file: none.key}\n", r"none.pem and key none.key cannot be used"),
        ("", r"web.yml: is empty"),
    ],
)
def test_a_web_configuration_that_is_no_good_is_told_by_line_and_field(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        web_config.load(written(tmp_path, text))


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    for name in ("one", "other"):
        certificate(tmp_path, name)
    with pytest.raises(BadInput, match="key values mismatch"):
        web_config.load(written(tmp_path, "tls_server_config: {cert_file: one.pem, key_file: other.key}\n"))


def test_client_certificates_need_an_authority(tmp_path: Path) -> None:
    certificate(tmp_path, "one")
    text = "tls_server_config: {cert_file: one.pem, key_file: one.key, client_auth_type: RequireAndVerifyClientCert}\n"
    with pytest.raises(BadInput, match="client_ca_file too"):
        web_config.load(written(tmp_path, text))


def test_a_renewed_certificate_is_noticed(tmp_path: Path) -> None:
    certificate(tmp_path, "one")
    found = web_config.load(written(tmp_path, "tls_server_config: {cert_file: one.pem, key_file: one.key}\n"))
    assert found.is_current
    certificate(tmp_path, "one")
    assert not found.is_current


def certificate(folder: Path, name: str) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(folder / f"{name}.key"),
    ]
    argv = ["openssl", "req", "-x509", "-days", "2", *subject, *key, "-out", str(folder / f"{name}.pem")]
    subprocess.run(argv, check=True, capture_output=True)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@requires("bcrypt")
def test_only_the_right_password_is_let_in() -> None:
    import bcrypt

    users = {"scraper": bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()}
    checked = passwords.Passwords()
    assert checked.admits(basic("scraper", "right"), users) and checked.admits(basic("scraper", "right"), users)
    for header in (
        basic("scraper", "wrong"),
        basic("nobody", "right"),
        basic("scraper", ""),
        "",
        "Basic ?",
        "Bearer x",
    ):
        assert not checked.admits(header, users)
    assert not checked.admits(basic("scraper", "right"), {"scraper": bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode()})
