# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test sanity`` on the collection as it ships, staged outside the checkout: ``sanity.py [ARGUMENT ...]``.

Green only where ansible-test has judged what it should have: it silently skips what it does not recognise, and exits 0
when it finds no target at all.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, List, Sequence

from project import ROOT

BIN = Path(sys.executable).parent
# ansible-test fetches pip's installer from the web for its own environments; Python brings one along.
GET_PIP = "import ensurepip\nensurepip.bootstrap()\n"
PIP_VERSIONS = ("24_2", "25_2")  # ansible-core 2.19; 2.20 and 2.21
# These look at modules one by one, and would be the ones to skip everything in a wrong layout.
MUST_RUN = ("ansible-doc", "compile", "import", "validate-modules")


def prepare_pip() -> None:
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in PIP_VERSIONS:
        script = cache / f"get_pip_{version}.py"
        if not script.exists():
            script.write_text(GET_PIP)


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """The collection as it ships, in a copy: ansible-test writes into it, and other runs use the staged one meanwhile.

    SystemExit where it cannot be built; the reason is printed then.
    """
    prepare_pip()
    done = subprocess.run(
        [sys.executable, str(ROOT / "collection" / "stage.py")], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(1)
    with tempfile.TemporaryDirectory(prefix="wirespeed-judged-") as scratch:
        collection = Path(scratch) / "ansible_collections" / "wirespeed" / "xdp"
        shutil.copytree(done.stdout.strip(), collection)
        yield collection


def environment(collection: Path) -> "dict[str, str]":
    """Real Pythons first on PATH: version managers' shims are none."""
    python = Path(sys.executable).resolve().parent
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(BIN), str(python), "/usr/bin", "/bin", "/usr/sbin", "/sbin", *further_pythons()]),
        "ANSIBLE_TEST_CONTENT_ROOT": str(collection),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def further_pythons() -> List[str]:
    """Folders of interpreters that targets may have (tools/cores.py)."""
    return [each for each in os.environ.get("WIRESPEED_PYTHONS", "").split(os.pathsep) if each]


def targets() -> List[str]:
    """The Pythons that compile and import run on: one that is named, else every one of PATH that the core knows."""
    return [] if further_pythons() else ["--python", f"{sys.version_info.major}.{sys.version_info.minor}"]


def judge(collection: Path, arguments: Sequence[str]) -> "tuple[int, str]":
    command = [str(BIN / "ansible-test"), "sanity", "--local", *targets(), "--color", "no", *arguments]
    child = subprocess.Popen(
        command,
        cwd=collection,
        env=environment(collection),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: List[str] = []
    assert child.stdout is not None
    for line in child.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    return child.wait(), "".join(lines)


def false_green(said: str) -> List[str]:
    """What a run with exit code 0 has not judged."""
    missing = [name for name in MUST_RUN if not re.search(rf'Running sanity test "{name}"', said)]
    if "All targets skipped" in said:
        missing.append("anything: all targets were skipped")
    return missing


def main(arguments: Sequence[str]) -> int:
    with copied() as collection:
        code, said = judge(collection, arguments)
    missing = [] if code or arguments else false_green(said)
    if missing:
        print(f"sanity: ansible-test exited 0, but it has not judged {', '.join(missing)}.", file=sys.stderr)
        return 1
    print("sanity: green" if code == 0 else f"sanity: ansible-test found the faults above (exit code {code})")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
