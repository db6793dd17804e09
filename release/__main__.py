# SPDX-License-Identifier: GPL-3.0-or-later
"""``make dist``: build/dist has the collection's artifact, the wheel, the Debian package, the SBOM and SHA256SUMS."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import artifact, debian, sbom, source, wheel
from .running import Failed

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"


def main() -> int:
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "dist", metavar="DIR", help="(build/dist)")
    options = parser.parse_args()
    os.umask(0o022)
    try:
        made = release(ROOT, options.output.resolve())
    except Failed as failure:
        print(f"dist: {failure}", file=sys.stderr)
        return 1
    print((made / SUMS).read_text(), end="")
    return 0


def release(checkout: Path, output: Path) -> Path:
    """``output`` is replaced as a whole, once all is made. Raises :class:`Failed`."""
    for path in source.uncommitted(checkout):
        print(f"dist: {path} is not as in the commit; what is released is the commit.", file=sys.stderr)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".dist-") as scratch:
        commit = source.export(checkout, Path(scratch) / "source")
        made = Path(scratch) / "dist"
        made.mkdir()
        source.compile_objects(commit)
        artifact.build(commit, made)
        built = wheel.build(commit, made)
        debian.build(commit, built, made)
        sbom.build(commit, made)
        _sum_up(made)
        shutil.rmtree(output, ignore_errors=True)
        made.rename(output)
    return output


def _sum_up(made: Path) -> None:
    """As ``sha256sum -c`` reads it."""
    files = sorted(made.iterdir())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (made / SUMS).write_text("".join(lines))


if __name__ == "__main__":
    sys.exit(main())
