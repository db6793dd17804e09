# SPDX-License-Identifier: GPL-3.0-or-later
"""``profile lint``: everything that is wrong with a site's profiles, by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, List

import pytest

from wirespeed import cli
from wirespeed.lint import lint
from wirespeed.profiles.load import BUILT_IN

from .profile_cases import write

HEAD = "profile: mine\nmatch: {driver: igb}\n"
RINGS = HEAD + "tuning:\n  drop:\n    rings:\n"


def found(tmp_path: Path, **texts: str) -> List[str]:
    return [str(each).replace(f"{tmp_path}/", "") for each in lint(write(tmp_path, **texts))]


def test_the_built_in_profiles_are_right() -> None:
    assert lint(BUILT_IN) == []


def test_a_right_profile_is_right(tmp_path: Path) -> None:
    assert found(tmp_path, mine=RINGS + '      rx: "{{ [2048, nic.max.rings.rx] | min }}"\n') == []


def test_the_profiles_in_the_documentation_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(profile: .*?)```", page, re.DOTALL)
    assert len(shown) == 2
    assert found(tmp_path, **{f"example_{number}": text for number, text in enumerate(shown)}) == []


def test_all_mistakes_of_all_files_are_told_in_order(tmp_path: Path) -> None:
    told = found(
        tmp_path,
        a="profile: a\nmatch: {drver: igb}\nnative: maybe\n",
        b="profile: [\n",
        c=RINGS + '      rxx: 1\n      tx: "{{ range(3) }}"\n',
    )
    assert [text.split(": ")[0] for text in told] == ["a.yml:2", "a.yml:3", "b.yml:2", "c.yml:6", "c.yml:7"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RINGS + '      rx: "{{ nic.maxx.rings.rx }}"\n', "mine.yml:6: tuning.drop.rings.rx: 'nic.maxx' is not known"),
        (RINGS + '      rx: "{{ nic.max.ring.rx }}"\n', "Did you mean 'nic.max.rings'?"),
        (RINGS + "      rx: \"{{ nic['maxx'].rings.rx }}\"\n", "'nic.maxx' is not known"),
        (RINGS + '      rx: "{{ cpus }}"\n', "'cpus' is not known here"),
        (RINGS + '      rx: "{{ planned.rings.tx }}"\n', "'planned.rings' is not known in tuning"),
        (HEAD + 'limits: {sriov: {vfs: {max: "{{ planned.channels.combined }}"}}}\n', "not known in limits.sriov"),
        (HEAD + "order: [rings, attach]\n", "mine.yml:3: order: lacks "),
        (HEAD + "extends: nothing\n", "mine.yml:3: extends: 'nothing' is not known here."),
        (
            HEAD + "counters:\n  nic_drop:\n    - absent: because it is so\n    - absent: twice\n",
            "counters.nic_drop[0]: 'absent' stands alone",
        ),
    ],
)
def test_a_mistake_that_the_schema_cannot_see_is_told(tmp_path: Path, text: str, told: str) -> None:
    mistakes = found(tmp_path, mine=text)
    assert len(mistakes) == 1 and told in mistakes[0]


def test_a_name_given_twice_is_told(tmp_path: Path) -> None:
    assert "'mine' is already the profile in" in found(tmp_path, a=HEAD, b=HEAD)[0]


def test_a_site_may_lay_over_a_built_in_profile_of_the_same_name(tmp_path: Path) -> None:
    assert found(tmp_path, igb="profile: igb\nmatch: {driver: igb}\nnative: false\n") == []


def test_the_command_says_so_when_nothing_is_wrong(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path, mine=HEAD)
    assert (cli.main(["profile", "lint", str(tmp_path)]), capsys.readouterr().out) == (0, "Nothing is wrong.\n")


def test_the_command_fails_with_file_and_line(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path, mine=HEAD + "extends: nothing\n")
    assert cli.main(["profile", "lint", str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path}/mine.yml:3: extends: ")


def test_the_command_tells_a_machine_file_and_line_apart(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path, mine=HEAD + "extends: nothing\n")
    assert cli.main(["profile", "lint", "--json", str(tmp_path)]) == 1
    mistake = json.loads(capsys.readouterr().out)[0]
    assert (mistake["file"], mistake["line"]) == (f"{tmp_path}/mine.yml", 3)
