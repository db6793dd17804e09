# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written whole or not at all, also after a power cut; readable by their owner alone."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator

from .errors import WirespeedError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """What the body writes becomes the file when it ends; after an error the file is as it was.

    Raises :class:`WirespeedError` for a file that cannot be written.
    """
    try:
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise WirespeedError(f"Cannot write {path}: {error.strerror}.", "Make room, or correct its mode.") from error
