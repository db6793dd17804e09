# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines and the sender of this folder, compiled into another one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.pipelines import compiled, scrubber

HERE = Path(__file__).parent


def pipeline(name: str, folder: Path, variant: str = "") -> Path:
    """The manifest in ``folder``, its object beside it; ``variant`` are lines of C before the source."""
    scrubber()  # built with it is what a node gets with any pipeline
    source = (HERE / f"{name}.bpf.c").read_text(encoding="utf-8")
    (folder / f"{name}.bpf.o").write_bytes(compiled(f"{variant}\n{source}"))
    return Path(shutil.copy(HERE / f"{name}.pipeline.yml", folder))


def sender(folder: Path) -> Path:
    built = folder / "sender"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", str(built), str(HERE / "sender.c")], check=True)
    return built


def copy_modules(folder: Path) -> None:
    """What runs on a virtual machine, into ``folder``."""
    for module in HERE.glob("*.py"):
        shutil.copy(module, folder)
