# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of form: ``lint.py [NAME ...]``. All run, whatever the ones before said; a summary is at the end.

``lint.py --fix`` lets ruff and clang-format repair what they can, and checks nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence

from project import ROOT

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """One command. ``env`` is added to the environment, ``cwd`` is where it runs."""

    name: str
    command: Sequence[str]
    cwd: Path = ROOT
    env: Mapping[str, str] = field(default_factory=dict)


def checks() -> Dict[str, Callable[[], Check]]:
    """By name; made when their turn comes, because some need the collection staged."""
    return {
        "ruff": lambda: Check("ruff", [tool("ruff"), "check", "."]),
        "format": lambda: Check("format", [tool("ruff"), "format", "--check", "--quiet", "--diff", "."]),
        "mypy": lambda: Check("mypy", [tool("mypy")]),
        "imports": lambda: Check("imports", [tool("lint-imports"), "--no-cache"], env=engine_path()),
        "yamllint": lambda: Check("yamllint", [tool("yamllint"), "--strict", "."]),
        "clang-format": lambda: Check("clang-format", ["clang-format", "--dry-run", "--Werror", *bpf_sources()]),
        "counters page": lambda: Check(
            "counters page", [sys.executable, str(ROOT / "tools" / "counters_page.py"), "--check"]
        ),
        "observability": lambda: Check("observability", [sys.executable, "-m", "tools.observability", "--check"]),
        "changelog": lambda: Check("changelog", [tool("antsibull-changelog"), "lint"]),
        "ansible-lint": ansible_lint,
    }


def tool(name: str) -> str:
    """The one of the project's environment; a stranger's on PATH may be another version."""
    return str(BIN / name)


def engine_path() -> Dict[str, str]:
    return {"PYTHONPATH": str(ROOT / "plugins" / "module_utils")}


def bpf_sources() -> List[str]:
    found = [*(ROOT / "bpf").rglob("*.[ch]"), *(ROOT / "tests").rglob("*.bpf.c")]
    return [str(path.relative_to(ROOT)) for path in sorted(found)]


def ansible_lint() -> Check:
    """On what ships, where every file is where Ansible will find it."""
    staged = subprocess.run(
        [sys.executable, str(ROOT / "collection" / "stage.py")], stdout=subprocess.PIPE, text=True, check=True
    )
    collection = Path(staged.stdout.strip())
    path = {"ANSIBLE_COLLECTIONS_PATH": str(collection.parents[2]), "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [tool("ansible-lint"), "--offline", "--strict", "-c", str(ROOT / ".ansible-lint")]
    return Check("ansible-lint", command, cwd=collection, env={**path, "NO_COLOR": "1"})


def run(make: Callable[[], Check]) -> bool:
    try:
        check = make()
        done = subprocess.run(check.command, cwd=check.cwd, env={**os.environ, **check.env}, check=False)
        return done.returncode == 0
    except FileNotFoundError as error:
        print(f"{error.filename} is not installed; `make setup` installs it.", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"{error} (its reason is above)", file=sys.stderr)
    return False


def fix() -> int:
    commands = (
        [tool("ruff"), "check", "--fix", "--quiet", "--exit-zero", "."],
        [tool("ruff"), "format", "."],
        ["clang-format", "-i", *bpf_sources()],
    )
    return max(subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands)


def main(names: Sequence[str]) -> int:
    if list(names) == ["--fix"]:
        return fix()
    known = checks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"lint: no check {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    verdicts: List[str] = []
    failed = 0
    for name in names or known:
        print(f"--- {name}", flush=True)
        started = time.monotonic()
        passed = run(known[name])
        failed += not passed
        verdicts.append(f"{'ok    ' if passed else 'FAILED'}  {name} ({time.monotonic() - started:.1f} s)")
    print("---", *verdicts, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
