# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one stage of a make target between two lines that name it: ``stage.py NAME COMMAND ...``.

The second line has the elapsed time; the exit code is the command's.
"""

from __future__ import annotations

import subprocess
import sys
import time


def main() -> int:
    name, command = sys.argv[1], sys.argv[2:]
    print(f"==> {name}", flush=True)
    started = time.monotonic()
    try:
        code = subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        print(f"{command[0]} does not exist; `make setup` installs what is needed.", file=sys.stderr)
        code = 127
    except KeyboardInterrupt:
        code = 130
    verdict = "done" if code == 0 else f"FAILED (exit code {code})"
    print(f"<== {name}: {verdict} in {time.monotonic() - started:.1f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
