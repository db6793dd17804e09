# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal: what a run was about to do, on disk before it is done.

One JSON object a line: first ``{"journal": 1, "boot": ID}``, then ``{"begin": STEP}`` ahead of
each step and ``{"undone": INDEX}`` after its undo. The file's absence means that nothing is
half done. A torn last line was never acted on, since the step waits for the fsync.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any, List, Mapping, Optional, Tuple

from ..errors import WirespeedError
from ..model.step import Step

FORMAT = 1


class Journal:
    """An open journal; created by :func:`start`, removed by :meth:`close`."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self._path = path
        self._stream = stream
        self._count = 0

    def begin(self, step: Step) -> int:
        """Record a step that is about to run; returns its index."""
        self._write({"begin": step.to_json()})
        self._count += 1
        return self._count - 1

    def undone(self, index: int) -> None:
        self._write({"undone": index})

    def close(self) -> None:
        """The run is whole, or wholly undone: nothing is left to recover."""
        self._stream.close()
        self._path.unlink()
        _sync_directory(self._path.parent)

    def keep(self) -> None:
        """An undo failed: leave the journal for the next run."""
        self._stream.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


def start(path: Path, boot_id: str) -> Journal:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    journal = Journal(path, os.fdopen(fd, "w", encoding="utf-8"))
    journal._write({"journal": FORMAT, "boot": boot_id})
    _sync_directory(path.parent)
    return journal


def unfinished(path: Path, boot_id: str) -> Optional[List[Tuple[int, Step]]]:
    """The steps that a killed run had begun and not undone, newest first; None without a journal.

    After a reboot the list is empty: settings, links and pins of the old boot are gone.
    Raises :class:`WirespeedError` for a journal of a newer format.
    """
    if not path.exists():
        return None
    records = _records(path)
    head = records[0] if records else {"journal": FORMAT, "boot": ""}
    if head.get("journal") != FORMAT:
        raise WirespeedError(
            f"{path} was written by another version of Wirespeed (journal format {head.get('journal')!r}; "
            f"this one knows {FORMAT}).",
            "Run that version once more on this node, so that it can undo what it began.",
        )
    if head["boot"] != boot_id:
        return []
    begun = [Step.from_json(record["begin"]) for record in records if "begin" in record]
    undone = {record["undone"] for record in records if "undone" in record}
    return [(index, step) for index, step in reversed(list(enumerate(begun))) if index not in undone]


def _records(path: Path) -> List[Any]:
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
