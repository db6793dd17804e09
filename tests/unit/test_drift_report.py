# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report: what is said of a host, in which order, and that files hold what the schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from wirespeed.cli import main
from wirespeed.drift import lines, written
from wirespeed.drift.document import MAX_ITEMS, State, compared, not_compared
from wirespeed.drift.fleet import Report, of_hosts
from wirespeed.drift.parts import Parts
from wirespeed.errors import BadInput

from .drift_cases import HOSTILE, deviation, fleet, host, mixed, refused, result, unreachable


def document(report: Report) -> Dict[str, Any]:
    return dict(json.loads("".join(written.json_pieces(report))))


def names(report: Report) -> List[str]:
    return [entry.host for entry in report.entries]


def test_a_host_without_deviations_is_clean() -> None:
    assert host("a")["state"] == "clean"


def test_a_refused_plan_is_drift_without_values_and_with_a_remedy() -> None:
    found = compared("a", {"failed": True, "msg": "Nothing was changed", "outcome": result(refused())})
    assert found is not None and found["state"] == "drift"
    (told,) = found["deviations"]
    assert (told["want"], told["have"], told["disruption"], told["remedy"]) == (None, None, None, "Detach it.")


def test_what_was_never_possible_is_no_deviation() -> None:
    found = host("a", refused(unsupported=True))
    assert (found["state"], found["deviations"]) == ("unsupported", [])
    assert [each["path"] for each in found["unsupported"]] == ["eth0.xdp"]


def test_a_host_that_deviates_and_lacks_something_is_drift_and_says_both() -> None:
    found = host("a", deviation(), refused(unsupported=True))
    assert (found["state"], len(found["deviations"]), len(found["unsupported"])) == ("drift", 1, 1)


def test_a_result_that_compared_nothing_is_no_host() -> None:
    assert compared("a", {"failed": True, "msg": "no"}) is None


def test_of_a_long_list_the_first_items_and_their_number_are_told() -> None:
    rows = [f"192.0.2.{number}/32" for number in range(MAX_ITEMS + 3)]
    (told,) = host("a", deviation("s.deny_v4", "config", want={"rows": rows}))["deviations"]
    assert told["want"]["rows"][:-1] == rows[:MAX_ITEMS]
    assert told["want"]["rows"][-1] == f"… {MAX_ITEMS + 3} in all"


def test_within_a_host_what_filters_comes_first_then_what_repair_costs() -> None:
    told = host(
        "a",
        deviation("eth0.mtu.mtu", "mtu", disruption="none"),
        deviation("eth0.channels.rx", "channels", disruption="bounce"),
        deviation("s.deny_v4", "config", disruption="none"),
    )
    assert [each["kind"] for each in told["deviations"]] == ["config", "channels", "mtu"]


def test_hosts_come_worst_first_and_those_that_nobody_saw_before_the_clean_ones() -> None:
    many = [deviation(f"eth0.rings.{key}") for key in ("rx", "tx", "rx-mini")]
    report = fleet(
        host("clean"),
        not_compared("failed", State.FAILED, "x"),
        unreachable("gone"),
        host("few", deviation()),
        host("many", *many),
        host("filters", deviation("eth0.xdp", "program")),
        host("lacks", refused(unsupported=True)),
    )
    assert names(report) == ["filters", "many", "few", "failed", "gone", "lacks", "clean"]


def test_the_summary_counts_each_host_once() -> None:
    summary = mixed().head()["summary"]
    assert sum(summary[state.value] for state in State) == summary["hosts"] == 8
    assert summary["deviations"] == 4


@pytest.mark.parametrize("report", [fleet(), mixed(), mixed(hostile=HOSTILE)], ids=["empty", "mixed", "hostile"])
def test_a_report_is_read_back_as_it_was_written(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "drift.json"
    written.write_json(path, report)
    assert written.read(str(path)) == document(report)


def _without(key: str) -> Callable[[Dict[str, Any]], None]:
    return lambda told: told.pop(key)


BROKEN: Dict[str, Any] = {
    "no summary": (_without("summary"), "summary"),
    "another state": (lambda told: told["hosts"][0].update(state="fine"), "state"),
    "drift without deviations": (lambda told: told["hosts"][0].update(deviations=[]), "deviations"),
    "a newer schema": (lambda told: told.update(schema=2), "this Wirespeed reads up to 1"),
    "another document": (lambda told: told.update(report="a plan"), "report"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_report_is_told_with_its_file_and_field(case: str, tmp_path: Path) -> None:
    breaking, said = BROKEN[case]
    told = document(mixed())
    breaking(told)
    path = tmp_path / "drift.json"
    path.write_text(json.dumps(told))
    with pytest.raises(BadInput) as raised:
        written.read(str(path))
    assert str(path) in str(raised.value) and said in str(raised.value)


def test_a_new_report_is_its_owners_and_who_may_read_the_last_may_read_the_next(tmp_path: Path) -> None:
    path = tmp_path / "drift.json"
    written.write_json(path, fleet())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    written.write_json(path, mixed())
    assert path.stat().st_mode & 0o777 == 0o644


def test_parts_hold_the_later_of_two_and_no_name_leads_out_of_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    parts = Parts(folder)
    for name in ("../../escaped", HOSTILE, "a" * 300):
        parts.keep(unreachable(name))
        parts.keep(host(name))
        assert parts.has(name) and parts.read(name)["state"] == "clean"
    assert len(list(parts)) == 3 and list(tmp_path.iterdir()) == [folder]


def test_lines_tell_drift_first_and_clean_hosts_on_one_line() -> None:
    told = list(lines.lines(mixed()))
    assert told[0] == "edge2.example.net"
    assert told[1] == "    eth0.xdp: It is held by another. Detach it. (no step repairs this)"
    assert (
        "    eth0.rings.rx: want 4096, have 256: bursts are longer than the default ring (igb.yml:31); repair: reset"
        in told
    )
    assert "gone.example.net: unreachable: no route to host" in told
    assert told[-1] == "no drift: clean0.example.net, clean1.example.net, clean2.example.net"


CODES = {
    "clean": (fleet(host("a")), 0),
    "drift": (fleet(host("a", deviation()), host("b")), 2),
    "nobody answered": (fleet(unreachable("a"), host("b", deviation())), 1),
    "not possible": (fleet(host("a", refused(unsupported=True))), 1),
}


@pytest.mark.parametrize("case", CODES)
def test_the_exit_code_of_a_report(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, code = CODES[case]
    path = tmp_path / "drift.json"
    written.write_json(path, report)
    assert main(["drift", "--from", str(path)]) == code
    assert capsys.readouterr().out.splitlines() == list(lines.lines(report))


def test_reports_of_nodes_become_one_of_the_fleet(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written.write_json(tmp_path / f"{name}.json", fleet(host(name)))
    files = [str(tmp_path / f"{name}.json") for name in ("a", "b")]
    assert main(["drift", "--from", *files, "--json", str(tmp_path / "all.json")]) == 0
    assert [each["host"] for each in written.read(str(tmp_path / "all.json"))["hosts"]] == ["a", "b"]


def test_reports_in_one_are_as_old_as_the_oldest(tmp_path: Path) -> None:
    for day, name in (("2026-11-27", "a"), ("2026-11-02", "b")):
        written.write_json(tmp_path / f"{name}.json", of_hosts(f"{day}T04:00:00Z", "0.1.0", [host(name)]))
    files = [str(tmp_path / f"{name}.json") for name in ("a", "b")]
    main(["drift", "--from", *files, "--json", str(tmp_path / "all.json")])
    assert written.read(str(tmp_path / "all.json"))["made_at"] == "2026-11-02T04:00:00Z"


def test_a_host_in_two_reports_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for path in files:
        written.write_json(path, fleet(host("a")))
    assert main(["drift", "--from", *map(str, files)]) == 1
    assert f"'a' is in {files[0]} too" in capsys.readouterr().err


def test_json_on_standard_output_is_all_there_is_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "drift.json"
    written.write_json(path, mixed())
    main(["drift", "--from", str(path), "--json", "-"])
    assert json.loads(capsys.readouterr().out)["summary"] == mixed().head()["summary"]
