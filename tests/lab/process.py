# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the host: run to the end, or told apart as processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Optional, Union

from .errors import LabError


def run(*command: Union[str, Path], **options: Any) -> str:
    """Standard output of a command; LabError with the end of its output when it fails."""
    words = [str(word) for word in command]
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(words, check=False, capture_output=True, text=True, errors="replace", **options)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise LabError(
            f"`{' '.join(words[:6])}{' ...' if len(words) > 6 else ''}` failed with exit code {done.returncode}: {said}"
        )
    return str(done.stdout)


def started_at(pid: int) -> Optional[int]:
    """Start time of a living process in clock ticks since boot; None when it is gone or a zombie.

    With the pid it names one process for good: the kernel reuses pids, never this pair
    (field 22 of /proc/PID/stat, proc_pid_stat(5)).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] == "Z" else int(fields[19])


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, with all its threads; 0.0 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reap(pid: int) -> None:
    """Wait for a child that is ending and collect it, so that no zombie stays; one that is not ours is fine."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass
