# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test units`` on the collection as it ships: ``units.py [ARGUMENT ...]``.

All of tests/unit runs, in a copy of what ships, on the engine as Ansible's loader of collections imports it
(tools/units_conftest.py). Green only where every file of tests has been judged: ansible-test takes it for success when
nothing was collected.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import List, Sequence

import sanity
from project import ROOT

CONFTEST = ROOT / "tools" / "units_conftest.py"
REPORTS = "tests/output/junit/*.xml"
NOT_SOURCES = shutil.ignore_patterns(".*", "build", "dist", "output", "*.egg-info", "__pycache__")


def lay_beside(collection: Path) -> None:
    """Tests, and the files of the checkout that they read. None takes the place of one that ships."""
    names = {path.name for path in ROOT.iterdir()}
    for name in sorted(names - NOT_SOURCES(str(ROOT), list(names))):
        source, copy = ROOT / name, collection / name
        if name == "tests":
            shutil.copytree(source, copy, ignore=NOT_SOURCES, symlinks=True, dirs_exist_ok=True)
        elif copy.exists():
            continue
        elif source.is_dir() and not source.is_symlink():
            shutil.copytree(source, copy, ignore=NOT_SOURCES, symlinks=True)
        else:
            shutil.copy2(source, copy, follow_symlinks=False)
    shutil.copy2(CONFTEST, collection / "conftest.py")


def judge(collection: Path, arguments: Sequence[str]) -> int:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(sanity.BIN / "ansible-test"), "units", "--local", "--python", version, "--color", "no", *arguments]
    return subprocess.run(command, cwd=collection, env=sanity.environment(collection), check=False).returncode


def judged(collection: Path) -> List[str]:
    """The file of each test that was run, as ``test_cli``. A skip that names its probe counts, as in ``make test``."""
    reports = [ElementTree.parse(path) for path in collection.glob(REPORTS)]  # noqa: S314 - pytest's own, just written
    cases = [case for report in reports for case in report.iter("testcase")]
    classes = [case.get("classname", "").split(".") for case in cases]
    return [next((part for part in names if part.startswith("test_")), "") for names in classes]


def false_green(collection: Path, seen: Sequence[str]) -> List[str]:
    """What a run with exit code 0 has not judged."""
    return sorted({path.stem for path in (collection / "tests/unit").glob("test_*.py")} - set(seen))


def main(arguments: Sequence[str]) -> int:
    with sanity.copied() as collection:
        lay_beside(collection)
        code = judge(collection, arguments)
        seen = judged(collection)
        some = any(each.startswith("tests/") for each in arguments)
        missing = [] if code or some else false_green(collection, seen)
    if code == 0 and (missing or not seen):
        unjudged = ", ".join(missing) or "anything"
        print(f"units: ansible-test exited 0, but it has not judged {unjudged}.", file=sys.stderr)
        return 1
    print(f"units: green, {len(seen)} tests" if code == 0 else f"units: tests fail, see above (exit code {code})")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
