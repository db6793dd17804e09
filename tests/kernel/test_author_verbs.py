# SPDX-License-Identifier: GPL-3.0-or-later
"""``pipeline init``, ``lint --load`` and ``test``: an author's way from an object to packets that met their fate."""

from __future__ import annotations

import glob
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.pipelines import REPOSITORY, compiled, support
from tests.probes import requires, requires_bpf
from wirespeed import cli

pytestmark = [requires_bpf, requires("clang")]

PAGE = (REPOSITORY / "docs/manifest.md").read_text(encoding="utf-8")


def run(*words: str) -> int:
    return cli.main(["pipeline", *words])


@requires("xdp-tools")
def test_the_walk_through_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(glob.glob("/usr/lib/*/bpf/xdpfilt_alw_ip.o")[0], tmp_path)
    manifest = tmp_path / "xdpfilt_alw_ip.pipeline.yml"
    assert run("init", str(tmp_path / "xdpfilt_alw_ip.o"), "-o", str(manifest)) == 0
    maps = re.findall(r"```yaml\n(maps:.*?)```", PAGE, re.DOTALL)[-1]
    (typed,) = re.findall(r"<< END\n(.*?)> END", PAGE, re.DOTALL)
    assert all(line in manifest.read_text() for line in maps.splitlines())
    capsys.readouterr()
    assert run("lint", str(manifest), "--load") == 0
    said = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert said in PAGE
    with manifest.open("a") as file:
        file.write(re.sub("^> ", "", typed, flags=re.MULTILINE))
    assert run("test", str(manifest)) == 0
    assert capsys.readouterr().out in PAGE


def test_a_packet_that_fails_is_told_in_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.bpf.o").write_bytes(compiled('SEC("xdp") int edge(struct xdp_md *ctx) { return XDP_DROP; }'))
    manifest = tmp_path / "edge.pipeline.yml"
    tests = "[{name: one, packet: {}, action: drop}, {name: two, packet: {}, action: pass}]"
    manifest.write_text(f'manifest: 1\nname: edge\nversion: "1"\nentry: edge\ntests: {tests}\n')
    assert run("test", str(manifest)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok      one",
        "failed  tests[1] 'two': expected action pass, found drop",
        "1 of 2 packets met their fate.",
    ]
    assert run("test", str(manifest), "--json") == 1
    assert [each["passed"] for each in json.loads(capsys.readouterr().out)] == [True, False]
    assert run("lint", "--load", str(manifest)) == 1
    assert "Pipeline edge 1 does not do what its manifest says of 1 of its 2 test packets" in capsys.readouterr().out


def test_the_verifiers_word_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = 'SEC("xdp") int edge(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }'
    (tmp_path / "edge.bpf.o").write_bytes(compiled(code))
    manifest = tmp_path / "edge.pipeline.yml"
    manifest.write_text('manifest: 1\nname: edge\nversion: "1"\nentry: edge\n')
    assert run("lint", str(manifest)) == 0
    capsys.readouterr()
    assert run("lint", "--load", str(manifest)) == 1
    assert "error: edge: the kernel's verifier rejected program 'edge'" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["scrubber", "pass"])
def test_what_ships_is_tested_by_its_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    support()  # builds them all
    assert run("test", name) == 0
    assert "failed" not in capsys.readouterr().out
    assert run("lint", name, "--load", "--strict") == 0


@pytest.mark.parametrize("change", ["packet: {ipv5: {}}", "packet: {length: 4000}"])
def test_a_bad_packet_is_told_with_its_line(change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.bpf.o").write_bytes(compiled('SEC("xdp") int edge(struct xdp_md *ctx) { return XDP_DROP; }'))
    manifest = tmp_path / "edge.pipeline.yml"
    manifest.write_text(
        f'manifest: 1\nname: edge\nversion: "1"\nentry: edge\ntests:\n  - {{name: one, {change}, action: drop}}\n'
    )
    assert run("test", str(manifest)) == 1
    assert f"{manifest}:6: tests[0].packet" in capsys.readouterr().err
