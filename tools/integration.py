# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test integration`` on the collection as it ships: ``integration.py [TARGET ...]``, of tests/integration.

The targets make what they need in namespaces of their own; root is needed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Sequence

import sanity
from project import ROOT

TARGETS = "tests/integration"


def main(arguments: Sequence[str]) -> int:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(sanity.BIN / "ansible-test"), "integration", "--local", "--python", version, "--color", "no"]
    command += ["--allow-root", "--allow-destructive", *arguments]
    with sanity.copied() as collection:
        shutil.copytree(ROOT / TARGETS, collection / TARGETS)
        done = subprocess.run(command, cwd=collection, env=sanity.environment(collection), check=False)
    print("integration: green" if done.returncode == 0 else "integration: see above")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
