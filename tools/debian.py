# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages: which are missing, and installing those.

A service that comes with a package is not started: policy-rc.d forbids it while apt runs (see
invoke-rc.d(8)), and a newly installed ssh server, wanted for its sshd program only, is left disabled.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from progress import Failed, Stage, run

POLICY = Path("/usr/sbin/policy-rc.d")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
INSTALL += ["-o", "APT::Status-Fd=1", "-o", "Dpkg::Use-Pty=0"]
NO_SERVER = re.compile(r"Could not resolve|Unable to connect|Connection (refused|timed out)|Could not connect")


def installed(packages: Sequence[str]) -> Dict[str, str]:
    """Version of each package that is installed; the others are absent from the answer."""
    query = ["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\t${Version}\n", *packages]
    if shutil.which("dpkg-query") is None:
        raise Failed(
            "This is not Debian or a derivative (no dpkg-query), so packages cannot be installed for you. "
            f"Install what these Debian packages hold by your own means: {' '.join(packages)}."
        )
    answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    rows = (line.split("\t") for line in answer.splitlines())
    return {name: version for name, status, version in rows if status == "installed"}


def missing(packages: Sequence[str]) -> List[str]:
    present = installed(packages)
    return [name for name in dict.fromkeys(packages) if name not in present]


def codename() -> str:
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def missing_from_backports(packages: Sequence[str]) -> List[str]:
    """Those whose installed version is Debian 12's own, too old, and not the one of its backports."""
    present = installed(packages)
    if codename() != "bookworm":
        return [name for name in packages if name not in present]
    return [name for name in packages if "~bpo12" not in present.get(name, "")]


def install(stage: Stage, packages: Sequence[str], log: Path, backports_lists: Optional[Path] = None) -> None:
    """Install ``packages``; with ``backports_lists`` from Debian 12's backports, whose lists are kept there."""
    if not packages:
        return
    if os.geteuid() != 0:
        raise Failed(f"Only root may install what is missing. As root: apt-get install {' '.join(packages)}")
    options = _backports(backports_lists) if backports_lists and codename() == "bookworm" else []
    target = ["-t", "bookworm-backports"] if options else []
    stage.say(f"installing {len(packages)}: {' '.join(packages)}")
    try:
        run(stage, ["apt-get", "update", "-q", *options], log, _progress)
        stage.say(_download(["apt-get", *options, *INSTALL[1:], "--print-uris", "-qq", *target, *packages]))
        with _services_stay_off(packages):
            run(stage, [*INSTALL, *options, *target, *packages], log, _progress, {"DEBIAN_FRONTEND": "noninteractive"})
    except Failed as failure:
        raise Failed(_hint(str(failure))) from None


def _hint(text: str) -> str:
    if NO_SERVER.search(text):
        return f"{text}\n  The package servers cannot be reached: check the network, proxy and DNS of this machine."
    return text


def _progress(line: str) -> Optional[str]:
    """apt's machine-readable status lines: ``pmstatus:clang:40.1:Unpacking clang``."""
    kind, _, rest = line.partition(":")
    if kind not in ("dlstatus", "pmstatus"):
        return None
    _, percent, text = (rest.split(":", 2) + ["", ""])[:3]
    return f"{float(percent or 0):.0f} % {text}"


def _download(argv: Sequence[str]) -> str:
    """``12 archives, 34 MB to fetch``, from the list that apt would download: 'uri' file size hash."""
    lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    sizes = [int(line.split()[2]) for line in lines if line.startswith("'")]
    return f"{len(sizes)} archives, {sum(sizes) / 1e6:.0f} MB to fetch"


@contextlib.contextmanager
def _services_stay_off(packages: Sequence[str]) -> Iterator[None]:
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()
        if "openssh-server" in packages and shutil.which("systemctl"):
            subprocess.run(["systemctl", "-q", "disable", "ssh.service"], capture_output=True, check=False)


def _backports(lists: Path) -> List[str]:
    """apt options that add the backports suite of the archive this machine already uses, in lists of our own."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    rows = sorted({tuple(line.split()) for line in listed.splitlines()})
    archives = [row[1] for row in rows if row[0] == "bookworm" and row[1].rstrip("/").endswith("/debian")]
    if not archives:
        raise Failed("No bookworm main archive among this machine's apt sources, so its backports cannot be found.")
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "partial").mkdir(exist_ok=True)
    source = lists.parent / "backports.list"
    suites = ("bookworm", "bookworm-updates", "bookworm-backports")
    source.write_text("".join(f"deb [signed-by={KEYRING}] {archives[0]} {suite} main\n" for suite in suites))
    return ["-o", f"Dir::Etc::SourceList={source}", "-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={lists}"]
