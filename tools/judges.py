# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of the ecosystem, each in an environment of its own, on the collection as it ships: ``judges.py [NAME ...]``.

importer    galaxy-importer: what Galaxy and Automation Hub run on an upload
docs        antsibull-docs lint-collection-docs: the modules' documentation and every reference in it
changelog   antsibull-changelog: release notes can be made of the fragments
builder     ansible-builder: the example of an execution environment, and what the collection asks of one
molecule    the scenario netns: converge, converge again, verify, on a node that is a network namespace
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence

import yaml

import environment as locate
import project
from project import ROOT

IMPORTER = """\
[galaxy-importer]
RUN_ANSIBLE_TEST = False
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
RUN_FLAKE8 = False
CHECK_REQUIRED_TAGS = True
CHECK_CHANGELOG = True
CHECK_RUNTIME = True
"""
COMPLAINT = re.compile(r"^\S*(WARNING|ERROR)|^(Error|Warning):", re.M)
REFERENCES = [
    "--plugin-docs",
    "--skip-rstcheck",
    "--validate-collection-refs=all",
    "--disallow-unknown-collection-refs",
]


class Failed(Exception):
    """What a judge said, for the user."""


@dataclass(frozen=True)
class Tool:
    """The programs of one environment; ``settings`` are added to this process's own."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str, cwd: Path) -> str:
        """What it said. Raises Failed where its exit code is not 0."""
        path = f"{self.folder}:{os.environ['PATH']}"
        settings = {**os.environ, "PATH": path, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", **self.settings}
        done = subprocess.run(
            [str(self.folder / command[0]), *command[1:]],
            cwd=cwd,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"`{' '.join(command)}` ended with exit code {done.returncode}:\n{done.stdout}")
        return done.stdout


@dataclass(frozen=True)
class Staged:
    """The collection as it ships, and a folder to work in that goes away."""

    path: Path
    work: Path

    @property
    def collection(self) -> Path:
        return self.path / "ansible_collections/wirespeed/xdp"

    @property
    def artifact(self) -> Path:
        (found,) = self.path.glob("wirespeed-xdp-*.tar.gz")
        return found

    @property
    def settings(self) -> Dict[str, str]:
        return {"ANSIBLE_COLLECTIONS_PATH": str(self.path)}


def programs(group: str) -> Path:
    """The folder with the programs of a group of pyproject.toml. Its installation is told on standard error."""
    command = [sys.executable, str(ROOT / "tools/setup.py"), "--for", group]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"The environment of {group} could not be made; the reason is above.")
    return Path(done.stdout.splitlines()[-1]) / "bin"


def importer(staged: Staged) -> str:
    settings = staged.work / "importer.cfg"
    settings.write_text(IMPORTER, encoding="utf-8")
    tool = Tool(programs("importer"), {"GALAXY_IMPORTER_CONFIG": str(settings)})
    said = tool.run("python", "-m", "galaxy_importer.main", str(staged.artifact), cwd=staged.work)
    if COMPLAINT.search(said):
        raise Failed(f"galaxy-importer has something to say:\n{said}")
    return said.splitlines()[-1]


def docs(staged: Staged) -> str:
    tool = Tool(programs("docs"), staged.settings)
    tool.run("antsibull-docs", "lint-collection-docs", *REFERENCES, ".", cwd=staged.collection)
    return "no fault in the documentation of modules, plugins and roles, nor in a reference"


def changelog(staged: Staged) -> str:
    """On a copy, which is no checkout: the fragments that are here would be used up."""
    copy = staged.work / "ansible_collections/wirespeed/xdp"
    shutil.copytree(staged.collection, copy)
    shutil.copy2(ROOT / "galaxy.yml", copy)
    shutil.rmtree(copy / "changelogs", ignore_errors=True)
    shutil.copytree(ROOT / "changelogs", copy / "changelogs")
    settings = copy / "changelogs/config.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("vcs: git", "vcs: none"), encoding="utf-8")
    tool = Tool(locate.location(project.read().pip) / "bin")
    tool.run("antsibull-changelog", "lint", cwd=copy)
    tool.run("antsibull-changelog", "release", "--version", "999.0.0", "--date", "2026-01-01", cwd=copy)
    known = yaml.safe_load((copy / "changelogs/changelog.yaml").read_text(encoding="utf-8"))
    sections = known["releases"]["999.0.0"].get("changes", {})
    return f"the notes of the next release would have {sum(map(len, sections.values()))} entries"


def builder(staged: Staged) -> str:
    where = staged.work / "builder"
    where.mkdir()
    shutil.copy2(ROOT / "extensions/execution_environment/execution-environment.yml", where)
    shutil.copy2(staged.artifact, where)
    tool = Tool(programs("judges"), staged.settings)
    tool.run("ansible-builder", "create", "--file", "execution-environment.yml", cwd=where)
    said = tool.run("ansible-builder", "introspect", "--sanitize", str(staged.path), cwd=where)
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    missing = [name for name in re.findall(r"^(\w+)>=", wanted, re.M) if name.lower() not in said.lower()]
    # PyYAML is ansible-core's own, and left out there for that reason.
    if set(missing) - {"PyYAML"}:
        raise Failed(f"An execution environment would lack {', '.join(missing)}:\n{said}")
    return "the build context is made; no image is built (that needs a container engine)"


def molecule(staged: Staged) -> str:
    settings = {**staged.settings, "WIRESPEED_CLONE": str(ROOT)}
    tool = Tool(programs("judges"), settings)
    said = tool.run("molecule", "test", "--scenario-name", "netns", cwd=ROOT / "extensions")
    return next((line for line in reversed(said.splitlines()) if "successful" in line), said[-200:]).strip()


JUDGES: Dict[str, Callable[[Staged], str]] = {
    "importer": importer,
    "docs": docs,
    "changelog": changelog,
    "builder": builder,
    "molecule": molecule,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*JUDGES, []], help=", ".join(JUDGES))
    names: List[str] = parser.parse_args(arguments).names or list(JUDGES)
    stage = [sys.executable, str(ROOT / "collection/stage.py"), "--path"]
    done = subprocess.run(stage, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return 1  # its reason is printed
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"wirespeed-{name}-") as work:
            try:
                print(f"ok      {name}: {JUDGES[name](Staged(Path(done.stdout.strip()), Path(work)))}", flush=True)
            except Failed as reason:
                print(f"FAILED  {name}: {reason}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
