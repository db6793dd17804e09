#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's artifact and install it outside the checkout; print where.

The last line of standard output is the installed collection's folder, ``.../ansible_collections/wirespeed/xdp``
(with ``--path`` the folder to put into ``ANSIBLE_COLLECTIONS_PATH``). The same content always lands in the same folder,
so a second call installs nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Optional

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY / "tools"), str(REPOSITORY / "collection")]

import reproducible  # noqa: E402

import environment  # noqa: E402  (found by the lines above)
import project  # noqa: E402

COLLECTION = Path("ansible_collections") / "wirespeed" / "xdp"
KEPT_SECONDS = 24 * 3600


class StageError(Exception):
    """One sentence for the user."""


def ansible_galaxy() -> str:
    """The one beside the running Python, else in the environment that ``make setup`` makes, else on PATH."""
    made = environment.location(project.read().pip) / "bin"
    for folder in (Path(sys.executable).parent, made):
        if (folder / "ansible-galaxy").exists():
            return str(folder / "ansible-galaxy")
    found = shutil.which("ansible-galaxy")
    if found is None:
        raise StageError("ansible-galaxy is not installed here. Run 'make setup', or install ansible-core.")
    return found


def galaxy(*arguments: str) -> None:
    command = [ansible_galaxy(), "collection", *arguments]
    settings = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=settings, check=False)
    if done.returncode:
        raise StageError(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()}")


def build(source: Path, into: Path) -> Path:
    """The artifact's path, in its normal form; ``into`` is an empty folder."""
    galaxy("build", str(source), "--output-path", str(into))
    (artifact,) = into.glob("*.tar.gz")
    try:
        reproducible.normalise(artifact, reproducible.epoch())
    except reproducible.NotOurs as error:
        raise StageError(str(error)) from None
    return artifact


def content_key(artifact: Path) -> str:
    """A digest of the files that ship and of the metadata, but not of times and file order."""
    with tarfile.open(artifact) as tar:
        parts = {name: json.load(_member(tar, name)) for name in ("MANIFEST.json", "FILES.json")}
    manifest, files = parts["MANIFEST.json"], parts["FILES.json"]["files"]
    manifest.pop("file_manifest_file")
    listed = sorted((entry["name"], entry["ftype"], entry.get("chksum_sha256") or "") for entry in files)
    text = json.dumps([manifest, listed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _member(tar: tarfile.TarFile, name: str) -> "tarfile.ExFileObject":
    member = tar.extractfile(name)
    if member is None:
        raise StageError(f"The artifact has no {name}.")
    return member  # type: ignore[return-value]


def install(artifact: Path, into: Path) -> None:
    """``into`` appears whole or not at all, also when two runs install the same content."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".staging-") as scratch:
        whole = Path(scratch) / "whole"
        galaxy("install", str(artifact), "--collections-path", str(whole), "--offline", "--force", "--no-deps")
        shutil.copy2(artifact, whole / artifact.name)
        try:
            whole.rename(into)
        except OSError:
            if not (into / COLLECTION / "MANIFEST.json").exists():
                raise


def forget_old(folder: Path) -> None:
    """Staged versions that nothing has asked for in a day; no run takes that long."""
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def stage(source: Path = REPOSITORY, cache: Optional[Path] = None) -> Path:
    """Returns the folder that holds ``ansible_collections/``. Raises StageError."""
    objects = source / "plugins" / "module_utils" / "wirespeed" / "objects"
    if not any(objects.glob("*.bpf.o")):
        raise StageError(f"{objects} holds no compiled BPF object. Run 'make -C bpf' first.")
    folder = (cache or project.cache()).resolve() / "collection"
    with tempfile.TemporaryDirectory(prefix="wirespeed-build-") as scratch:
        artifact = build(source, Path(scratch))
        staged = folder / content_key(artifact)
        if not (staged / COLLECTION / "MANIFEST.json").exists():
            install(artifact, staged)
    os.utime(staged)
    forget_old(folder)
    return staged


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--path", action="store_true", help="print what ANSIBLE_COLLECTIONS_PATH needs instead")
    options = parser.parse_args()
    try:
        staged = stage()
    except StageError as error:
        print(error, file=sys.stderr)
        return 1
    print(staged if options.path else staged / COLLECTION)
    return 0


if __name__ == "__main__":
    sys.exit(main())
