# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package for nodes: the wheel's files where Debian has modules, the command, the units of role boot."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from email.utils import formatdate
from pathlib import Path
from typing import Dict, List, Sequence

from packaging.requirements import Requirement

from . import manual, units
from .source import Commit

NAME = "wirespeed"
MAINTAINER = "Wirespeed contributors <wirespeed@users.noreply.github.com>"
MODULES = Path("usr/lib/python3/dist-packages")
DOC = Path("usr/share/doc") / NAME
SCRIPTS = Path("release/debian")
OTHER_NAMES = {"pyyaml": "python3-yaml"}
"""Where Debian's name is not python3-NAME."""

PACKED = ("--uniform-compression", "-Zxz", "--threads-max=1")
OVERRIDES = f"""\
# BPF objects are for the kernel's virtual machine, and the same for every little-endian architecture.
{NAME}: arch-independent-package-contains-binary-or-object [{MODULES}/{NAME}/objects/*.bpf.o]
"""

COMMAND = """\
#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
import sys

from wirespeed.cli import main

sys.exit(main())
"""


def build(commit: Commit, wheel: Path, into: Path) -> Path:
    """Raises :class:`Failed`."""
    tree = commit.root.parent / "debian"
    _install(commit, wheel, tree)
    _control(commit, tree)
    _settle(tree)
    made = into / f"{NAME}_{commit.version}_all.deb"
    # dpkg-deb takes times from SOURCE_DATE_EPOCH, and sorts.
    commit.run("dpkg-deb", "--build", "--root-owner-group", *PACKED, str(tree), str(made))
    return made


def _install(commit: Commit, wheel: Path, tree: Path) -> None:
    modules = tree / MODULES
    modules.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as packed:
        # RECORD is pip's list of what it may remove; here that is dpkg's.
        packed.extractall(modules, [name for name in packed.namelist() if not name.endswith("/RECORD")])
    _write(tree / "usr/bin" / NAME, COMMAND, 0o755)
    for path, text in units.rendered(commit.root).items():
        _write(tree / path, text)
    page = manual.page(commit, modules)
    _write_compressed(tree / "usr/share/man/man8" / f"{NAME}.8.gz", page)
    _write(tree / DOC / "copyright", (commit.root / SCRIPTS / "copyright").read_text())
    _write_compressed(tree / DOC / "changelog.gz", _changelog(commit))
    _write(tree / "usr/share/lintian/overrides" / NAME, OVERRIDES)


def _changelog(commit: Commit) -> str:
    when = formatdate(commit.when, localtime=False).replace("-0000", "+0000")
    told = "https://github.com/wirespeed/wirespeed.xdp/blob/main/CHANGELOG.md"
    return f"{NAME} ({commit.version}) stable; urgency=medium\n\n  * See {told}\n\n -- {MAINTAINER}  {when}\n"


def _control(commit: Commit, tree: Path) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    kib = sum(-(-path.stat().st_size // 1024) for path in files) + sum(path.is_dir() for path in tree.rglob("*"))
    digests = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]  # noqa: S324 (dpkg's format)
    control = tree / "DEBIAN"
    _write(control / "md5sums", "".join(digests))
    fields = {
        "Package": NAME,
        "Version": commit.version,
        "Section": "net",
        "Priority": "optional",
        "Architecture": "all",
        "Maintainer": MAINTAINER,
        "Installed-Size": str(kib),
        **_relations(commit),
        "Homepage": "https://github.com/wirespeed/wirespeed.xdp",
        "Description": _description(),
    }
    _write(control / "control", "".join(f"{name}: {value}\n" for name, value in fields.items()))
    for name in ("postinst", "prerm", "postrm"):
        _write(control / name, (commit.root / SCRIPTS / name).read_text(), 0o755)


def _description() -> str:
    return (
        "makes NICs ready for XDP and keeps them so\n"
        " Finds each NIC's model and driver, tunes it by its vendor's profile, attaches\n"
        " an XDP pipeline in the order that the driver needs, replaces its code and its\n"
        " configuration without a lost packet, and counts what becomes of every frame.\n"
        " .\n"
        " After a reboot it brings the node back to what it was asked, before the\n"
        " network is up."
    )


def _relations(commit: Commit) -> Dict[str, str]:
    """What the wheel requires, and of the project's list for nodes what is no Python package, or optional."""
    project = commit.project["project"]
    needed = [f"python3 (>= {project['requires-python'].removeprefix('>=')})", *_debian(project["dependencies"])]
    plain = {each.partition(" ")[0] for each in needed}
    others = [name for name in commit.project["tool"]["wirespeed"]["apt"]["target"] if name not in plain]
    libraries = [name for name in others if not name.startswith("python3-")]
    optional = [name for name in others if name.startswith("python3-")]
    return {
        "Depends": ", ".join([*needed, *libraries]),
        "Recommends": ", ".join(optional),
        "Suggests": ", ".join(["libpcap0.8", *commit.project["tool"]["wirespeed"]["apt"]["observability"]]),
    }


def _debian(requirements: Sequence[str]) -> List[str]:
    """``pyroute2>=0.7.2`` is ``python3-pyroute2 (>= 0.7.2)``."""
    found = []
    for each in map(Requirement, requirements):
        name = OTHER_NAMES.get(each.name.lower(), f"python3-{each.name.lower()}")
        found += [f"{name} ({bound.operator} {bound.version})" for bound in each.specifier] or [name]
    return found


def _settle(tree: Path) -> None:
    for path in tree.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
        elif path.suffix and path.parent.name != "DEBIAN":
            path.chmod(0o644)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _write_compressed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
        compressed.write(text.encode())
