# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down what became of a host in a rollout; all of it on the control node."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils.result_file import write
from ..plugin_utils.rollout import partial, record


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, dict(task_vars or {}))
        _checked, asked = self.validate_argument_spec(
            argument_spec={
                "folder": {"type": "path", "required": True},
                "run": {"type": "dict", "required": True},
                "plan": {"type": "dict", "required": True},
                "change": {"type": "dict"},
                "deliveries": {"type": "list", "elements": "dict", "default": []},
                "taken_back": {"type": "list", "elements": "dict", "default": []},
            }
        )
        host = str((task_vars or {})["inventory_hostname"])
        path = Path(asked["folder"], "hosts", f"{host.replace(os.sep, '_')}.json")
        earlier = path.read_text(encoding="utf-8") if path.exists() else ""
        of_change = asked["change"], asked["deliveries"]
        made = record(host, asked["run"], asked["plan"], earlier, *of_change, time.time(), asked["taken_back"])
        if not self._task.check_mode:
            write(path, made)
        left = partial(*of_change) and not asked["taken_back"]
        return {"changed": False, "path": str(path), "record": made, "partial": left}
