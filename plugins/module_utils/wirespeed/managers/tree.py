# SPDX-License-Identifier: GPL-3.0-or-later
"""Other managers' files: read whole or not at all, bounded in size and number, each at most once."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

MAX_BYTES = 256 * 1024
MAX_FILES = 512


class Tree:
    """The file system below ``root``. Paths are those of the host: ``/etc/tuned/active_profile``.

    ``notes`` holds one sentence for each file that was there and could not be understood.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._texts: Dict[str, Optional[str]] = {}
        self._names: Dict[str, Tuple[str, ...]] = {}
        self.notes: List[str] = []

    def text(self, path: str) -> Optional[str]:
        """None where there is no such regular file (a mask is a link to ``/dev/null``), or none that can be read."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def names(self, folder: str, ending: str = "") -> Tuple[str, ...]:
        """The sorted names in a folder; none where there is no such folder."""
        if folder not in self._names:
            try:
                found = sorted(os.listdir(self._at(folder)))
            except (OSError, ValueError):
                found = []
            if len(found) > MAX_FILES:
                self.note(folder, f"has {len(found)} entries; only the first {MAX_FILES} are looked at")
            self._names[folder] = tuple(found[:MAX_FILES])
        return tuple(name for name in self._names[folder] if name.endswith(ending))

    def exists(self, path: str) -> bool:
        return self._at(path).exists()

    def service_runs(self, unit: str) -> bool:
        """Whether systemd has this service up: its control group exists just as long (cgroup v2, or v1 by name)."""
        groups = ("/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice")
        return any(self.exists(f"{group}/{unit}.service") for group in groups)

    def process_runs(self, pid_file: str) -> bool:
        pid = (self.text(pid_file) or "").strip()
        return pid.isdigit() and self.exists(f"/proc/{pid}")

    def of_the_host(self) -> bool:
        """Whether this is the network namespace of PID 1: in no other one do managers set up interfaces."""
        try:
            own, first = (os.stat(self._at(f"/proc/{process}/ns/net")) for process in ("self", "1"))
        except OSError:
            return True  # without root nobody may tell
        return own.st_ino == first.st_ino

    def layered(self, folders: Sequence[str], ending: str) -> List[str]:
        """Paths by their name: a file hides those of its name in the folders after its own."""
        found: Dict[str, str] = {}
        for folder in folders:
            for name in self.names(folder, ending):
                found.setdefault(name, f"{folder}/{name}")
        return [found[name] for name in sorted(found)]

    def note(self, path: str, problem: str) -> None:
        sentence = f"{path}: {problem}; what it sets on NICs is not known."
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _read(self, path: str) -> Optional[str]:
        try:
            # Not to hang on a FIFO; O_NOFOLLOW would lose the links that administrators do make.
            handle = os.open(self._at(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            self.note(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")
            return None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            try:
                data = file.read(MAX_BYTES + 1)
            except OSError as error:
                self.note(path, f"cannot be read ({error.strerror})")
                return None
        if len(data) > MAX_BYTES:
            self.note(path, f"is longer than {MAX_BYTES} bytes")
            return None
        return data.decode("utf-8", "replace")
