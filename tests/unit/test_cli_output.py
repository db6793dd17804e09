# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line among other commands."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_reader_that_has_had_enough_is_no_error_to_tell() -> None:
    command = "import sys; from wirespeed.cli import main; sys.exit(main(sys.argv[1:]))"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", command, "profile", "explain", "--driver", "igc", "--kernel", "6.12"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
