# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down how far a rollout has come; all of it on the control node."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils.result_file import write
from ..plugin_utils.rollout import lines, summary


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        variables = dict(task_vars or {})
        super().run(tmp, variables)
        _checked, asked = self.validate_argument_spec(
            argument_spec={
                "folder": {"type": "path", "required": True},
                "run": {"type": "dict", "required": True},
                "committed": {"type": "float", "default": 0.0},
            }
        )
        hosts = list(variables["ansible_play_hosts_all"])
        made = summary(hosts, variables["hostvars"], asked["run"], asked["committed"], time.time())
        path = Path(asked["folder"], "rollout.json")
        if not self._task.check_mode:
            write(path, made)
        return {"changed": False, "path": str(path), "summary": made, "lines": lines(made)}
