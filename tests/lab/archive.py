# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's archive as this machine reaches it: suites the machine does not have enabled, in lists of the lab's own.

The machine's apt configuration is read and never changed. Addresses come from its sources at run time, so a mirror or
a proxy that serves the machine serves the lab too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

from . import cache
from .errors import LabError
from .process import run

GUEST = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PASSED_ON = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date")


def _machine_sources() -> List[Tuple[str, str]]:
    """(address, suite) of every binary source the machine's apt has for Debian."""
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    rows = [line.split() for line in lines.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 3 and row[2] == "main"]


def _addresses() -> Tuple[str, str]:
    """Addresses of the main and of the security archive; the second is empty when the machine has none."""
    sources = _machine_sources()
    codename = _os_release().get("VERSION_CODENAME", GUEST)
    security = next((address for address, suite in sources if suite == f"{codename}-security"), "")
    for address, suite in sources:
        if suite == codename and address != security:
            return address, security
    raise LabError(
        f"The machine's apt sources name no archive for Debian {codename} (component main). The lab takes "
        "the archive's address from them; add it to /etc/apt/sources.list.d and run `apt-get update`."
    )


def _os_release() -> Dict[str, str]:
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in text.splitlines())}


def passed_on() -> List[str]:
    """The machine's apt settings that a foreign apt (mmdebstrap's) needs to reach the same archive."""
    dump = run("apt-config", "dump")
    return [line for line in dump.splitlines() if line.startswith(_PASSED_ON)]


@dataclass(frozen=True)
class Lists:
    """Package lists of a set of suites, kept in the lab's cache; `apt` options that make apt see only them."""

    name: str

    @property
    def directory(self) -> Path:
        return cache.directory("apt") / self.name

    @property
    def sources(self) -> Path:
        return self.directory / "sources.list"

    def options(self) -> List[str]:
        where = self.directory
        return [
            "-o",
            f"Dir::Etc::sourcelist={self.sources}",
            "-o",
            "Dir::Etc::sourceparts=-",
            "-o",
            f"Dir::State::lists={where}/lists",
            "-o",
            "Acquire::Languages=none",
            "-o",
            "Dpkg::Use-Pty=0",
            "-o",
            "APT::Update::Post-Invoke-Success::=",
            "-o",
            "APT::Get::List-Cleanup=0",
        ]

    def update(self, suites: List[Tuple[str, str]]) -> None:
        """Fetch the lists of (address, suite) pairs."""
        (self.directory / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        self.sources.write_text(
            "".join(f"deb {signed}{address} {suite} main\n" for address, suite in suites), encoding="ascii"
        )
        with cache.progress(f"package lists of {', '.join(suite for _, suite in suites)}"):
            run("apt-get", *self.options(), "-o", "APT::Update::Error-Mode=any", "update")

    def names(self, prefix: str) -> List[str]:
        return sorted(run("apt-cache", *self.options(), "pkgnames", prefix).split())

    def version(self, package: str) -> str:
        """The version that would be installed; empty when the lists do not have the package."""
        said = run("apt-cache", *self.options(), "-o", "Dir::State::status=/dev/null", "policy", package)
        found = re.search(r"Candidate: (\S+)", said)
        return found.group(1) if found and found.group(1) != "(none)" else ""

    def depends(self, package: str) -> List[str]:
        said = run(
            "apt-cache",
            *self.options(),
            "depends",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            "--no-enhances",
            package,
        )
        return re.findall(r"^ +\|?(?:Pre)?Depends: <?([^\s>]+)", said, re.MULTILINE)

    def download(self, package: str, version: str) -> Path:
        """The .deb of one version, from the cache when it is there."""
        folder = cache.directory("debs")
        pattern = f"{package}_{version.replace(':', '%3a')}_*.deb"
        if not any(folder.glob(pattern)):
            with cache.progress(f"download {package} {version}"):
                run(
                    "apt-get",
                    *self.options(),
                    "-o",
                    "APT::Sandbox::User=root",
                    "download",
                    f"{package}={version}",
                    cwd=folder,
                )
            found = next(iter(folder.glob(pattern)), None)
            if found is None:
                raise LabError(f"apt said that it downloaded {package} {version}, but {folder}/{pattern} is not there.")
            cache.say(f"  {found.name}: {found.stat().st_size / 2**20:.1f} MiB")
        return next(iter(folder.glob(pattern)))


def stable() -> Lists:
    """Lists of the guests' release with its updates, security and backports suites."""
    lists = Lists("stable")
    address, security = _addresses()
    suites = [(address, suite) for suite in (GUEST, f"{GUEST}-updates", f"{GUEST}-backports")]
    lists.update(suites + ([(security, f"{GUEST}-security")] if security else []))
    return lists


def sid() -> Lists:
    """Lists of Debian's development suite, where the newest kernel is."""
    lists = Lists("sid")
    lists.update([(_addresses()[0], "sid")])
    return lists
