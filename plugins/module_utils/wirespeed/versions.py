# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions a node runs, for a record of where a rollback goes: code, configuration, tuning."""

from __future__ import annotations

from typing import Any, Dict, Sequence

from . import tuning_history
from .config import store
from .pipeline import instance
from .pipeline.pins import Paths


def versions(paths: Paths, pipelines: Sequence[str]) -> Dict[str, Any]:
    """``pipelines``: by name the ``generation`` that is published (None: none) and the ``configuration`` version
    (0: none was delivered); ``tuning``: the version of the NICs' settings (0: as they were found)."""
    return {
        "pipelines": {
            name: {
                "generation": instance.published(paths, name),
                "configuration": store.history(paths, name).version,
            }
            for name in pipelines
        },
        "tuning": tuning_history.read(paths).version,
    }
