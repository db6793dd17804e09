# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs what is missing of the packages that pyproject.toml names, and makes the virtual environment.

    setup.py [GROUP ...]    apt groups of [tool.wirespeed.apt] (else all but lab* and browser), then the environment
    setup.py --path         print where the environment is, and do nothing
    setup.py --for TOOLS    the environment of a group of tools beside it (docs, judges, importer): make it, print where

A second run installs nothing and takes a fraction of a second.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import sys
from pathlib import Path
from typing import Iterable, List, Sequence

MINIMUM = (3, 11)
if sys.version_info < MINIMUM:
    sys.exit(f"setup: {sys.executable} is Python {sys.version.split()[0]}; 3.11 or newer is needed (Debian 12 has it).")

import debian  # noqa: E402  (these need the version checked above)
import environment  # noqa: E402
import project  # noqa: E402
from progress import Failed, Stage  # noqa: E402

BACKPORTS = "_backports"
LARGE = ("lab", "browser")  # only for who names them


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--path", action="store_true", help="print where the environment is, and do nothing")
    parser.add_argument("--for", dest="tools", metavar="TOOLS", help="make a further environment and print where it is")
    options = parser.parse_args(arguments)
    named = project.read()
    if options.tools:
        return tools_environment(named, options.tools)
    folder = environment.location(named.pip)
    if options.path:
        print(folder)
        return 0
    groups = options.groups or usual(named.apt)
    unknown = [group for group in groups if group not in named.apt]
    if unknown:
        parser.error(f"no such group in [tool.wirespeed.apt]: {', '.join(unknown)}; there are {', '.join(named.apt)}")
    try:
        set_up(named, groups, folder)
    except Failed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


def set_up(named: project.Project, groups: Sequence[str], folder: Path) -> None:
    cache = project.cache()
    cache.mkdir(parents=True, exist_ok=True)
    log = cache / "setup.log"
    with Stage("setup") as stage, (cache / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once: the second waits and finds all done
        plain = _packages(named, [group for group in groups if not group.endswith(BACKPORTS)])
        newer = _packages(named, [group for group in groups if group.endswith(BACKPORTS)])
        absent, absent_newer = debian.missing(plain), debian.missing_from_backports(newer)
        debian.install(stage, absent, log)
        debian.install(stage, absent_newer, log, cache / "apt/lists")
        if not environment.is_complete(folder):
            environment.create(stage, folder, named.pip, log)
        added = len(absent) + len(absent_newer)
        stage.done(f"{len(plain) + len(newer)} Debian packages present, {added} of them new; environment {folder}")


def tools_environment(named: project.Project, tools: str) -> int:
    """Prints where it is, on standard output, once it is complete."""
    if tools not in named.pip:
        print(f"setup: no group {tools} in pyproject.toml; there are {', '.join(named.pip)}.", file=sys.stderr)
        return 1
    groups = (environment.ANSIBLE, tools)
    folder = environment.location(named.pip, groups)
    cache = project.cache()
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with (cache / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not environment.is_complete(folder):
                with contextlib.redirect_stdout(sys.stderr), Stage(f"setup of {tools}") as stage:
                    environment.create(stage, folder, named.pip, cache / "setup.log", groups)
                    stage.done(f"environment {folder}")
    except Failed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    print(folder)
    return 0


def usual(groups: Iterable[str]) -> List[str]:
    """What is installed where no group is named."""
    return [group for group in groups if not group.startswith(LARGE)]


def _packages(named: project.Project, groups: Sequence[str]) -> List[str]:
    return list(dict.fromkeys(name for group in groups for name in named.apt[group]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
