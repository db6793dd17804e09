# SPDX-License-Identifier: GPL-3.0-or-later
"""A JSON file on the control node that is there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Mapping

from ansible.errors import AnsibleActionFail


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Makes the folder too. Raises AnsibleActionFail with the reason."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=".result-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(content, out, indent=2, sort_keys=True)
                out.write("\n")
                out.flush()
                os.fsync(out.fileno())
            os.chmod(scratch, 0o644)
            os.replace(scratch, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch)
            raise
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}. Name another folder, or correct its mode."
    else:
        return
    raise AnsibleActionFail(problem)
