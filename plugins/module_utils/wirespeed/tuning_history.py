# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of the node's tuning on disk: ``<state>/tuning.json``. Who writes holds the node's lock.

The profile sets that they name are kept beside the desired state (:mod:`.stored`).
"""

from __future__ import annotations

import json
from pathlib import Path

from .errors import WirespeedError
from .model.tuning_history import TuningHistory
from .pipeline.pins import Paths
from .pipeline.records import write_file


def path(paths: Paths) -> Path:
    return paths.state / "tuning.json"


def read(paths: Paths) -> TuningHistory:
    """Empty where nothing was noted yet. Raises :class:`WirespeedError` for a file that cannot be read."""
    file = path(paths)
    try:
        return TuningHistory.from_json(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return TuningHistory()
    except OSError as error:
        raise WirespeedError(f"{file} cannot be read: {error.strerror}.", "Mend the file system or its mode.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WirespeedError(
            f"{file} is damaged or of another version ({type(error).__name__}: {error}).",
            f"Remove {file}: the settings stay as they are, and their versions begin anew.",
        ) from None


def write(paths: Paths, history: TuningHistory) -> None:
    """Raises :class:`WirespeedError`."""
    write_file(path(paths), json.dumps(history.to_json(), sort_keys=True, separators=(",", ":")).encode())
