# SPDX-License-Identifier: GPL-3.0-or-later
"""The judges of a collection under every ansible-core that it supports: ``cores.py [--list] [CORE ...]``.

For each core an environment of its own, with the newest Python here that the core runs on. In it run ``ansible-test
sanity``, for every Python here that the core knows as a target, ``ansible-test units`` and ``integration``, and then
tests/ansible. A core for which no Python is here is named as not judged, and the exit code is 3 then: not judged is not
passed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import project
import pythons
from progress import Failed, Stage, run

NOT_JUDGED = 3
# Pages of the documentation have their reader take the project's own environment, so they say nothing of another core.
PAGES = ("test_examples", "test_pages_run", "test_tutorial")
TESTS = ["tests/ansible", *(f"--ignore=tests/ansible/{name}.py" for name in PAGES)]


@dataclass(frozen=True)
class Core:
    """A minor version of ansible-core and the Pythons that it runs on (its ``ansible_test/_util/.../constants.py``)."""

    name: str
    pythons: Sequence[Tuple[int, int]]


CORES = (
    Core("2.19", ((3, 11), (3, 12), (3, 13))),
    Core("2.20", ((3, 12), (3, 13), (3, 14))),
    Core("2.21", ((3, 12), (3, 13), (3, 14))),
)


def environment(core: Core, python: Path, named: project.Project) -> Path:
    """The environment's Python, made where it is not there yet. Raises Failed."""
    # The engine's own requirements, and the exporter's, too: this Python does not see Debian's packages.
    ours = [*named.pip["test"], *named.pip["observability"], *project.engine_requirements()]
    wanted = [f"ansible-core=={core.name}.*", *ours]
    content = "\n".join([str(python), *wanted])
    folder = project.cache() / f"core-{core.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        with Stage(f"ansible-core {core.name}") as stage:
            log = project.cache() / "setup.log"
            run(stage, [str(python), "-m", "venv", "--clear", str(folder)], log, lambda line: None)
            pip = [
                str(folder / "bin/python"),
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--progress-bar",
                "off",
            ]
            run(stage, [*pip, *wanted], log, lambda line: line)
            (folder / "complete").write_text("\n".join(wanted) + "\n")
            stage.done(f"environment {folder}")
    return folder / "bin/python"


def judge(core: Core, python: Path) -> List[str]:
    """The judgements that went against it."""
    others = os.pathsep.join(str(path.parent) for path in pythons.found().values())
    settings = {**os.environ, "WIRESPEED_PYTHONS": others}
    commands = {
        **{name: [str(python), str(project.ROOT / f"tools/{name}.py")] for name in ("sanity", "units", "integration")},
        "tests": [str(python), "-m", "pytest", "-q", "-rs", *TESTS],
    }
    failed = []
    for name, command in commands.items():
        print(f"--- ansible-core {core.name}: {name}", flush=True)
        if subprocess.run(command, cwd=project.ROOT, env=settings, check=False).returncode:
            failed.append(name)
    return failed


def newest(core: Core) -> Optional[Path]:
    here = pythons.found()
    usable = [version for version in core.pythons if version in here]
    return here[max(usable)] if usable else None


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="only say which Python each would have")
    parser.add_argument("cores", nargs="*", metavar="CORE", help=f"of {', '.join(each.name for each in CORES)}")
    options = parser.parse_args(arguments)
    verdicts, worst = [], 0
    for core in (each for each in CORES if not options.cores or each.name in options.cores):
        python = newest(core)
        if python is None:
            verdicts.append(f"not judged  ansible-core {core.name}: needs one of {_spelt(core)}; none is here")
            worst = worst or NOT_JUDGED
        elif options.list:
            verdicts.append(f"{core.name}  {python}")
        else:
            failed = judge(core, environment(core, python, project.read()))
            verdicts.append(
                f"{'FAILED' if failed else 'ok    '}  ansible-core {core.name} {', '.join(failed)}".rstrip()
            )
            worst = 1 if failed else worst
    print("---", *verdicts, sep="\n")
    return worst


def _spelt(core: Core) -> str:
    return ", ".join(f"Python {major}.{minor}" for major, minor in core.pythons)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failure:
        sys.exit(f"cores: {failure}")
