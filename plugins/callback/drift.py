# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One report of all hosts' deviations at the end of a run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drift
type: aggregate
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: Report the drift of all hosts at the end of a run
description:
  - Collects what M(wirespeed.xdp.node) found in check mode, as in the playbook C(wirespeed.xdp.drift), and
    prints it in one piece. Hosts that could not be looked at are listed apart from those without drift.
requirements:
  - C(callbacks_enabled) in ansible.cfg, or E(ANSIBLE_CALLBACKS_ENABLED), names V(wirespeed.xdp.drift).
options:
  report:
    description: Also write the report as JSON into this file.
    type: path
    env:
      - name: WIRESPEED_DRIFT_REPORT
    ini:
      - section: callback_wirespeed_drift
        key: report
"""

import json
import os
import tempfile
from typing import Any, Dict, List, Mapping

from ansible.plugins.callback import CallbackBase

from ..plugin_utils import deviations

MODULE = "wirespeed.xdp.node"
SCHEMA = 1


class _Task:
    """What a task result says; ansible-core 2.21 renames the attributes."""

    def __init__(self, outcome: Any) -> None:
        host = outcome.host if hasattr(outcome, "host") else outcome._host
        task = outcome.task if hasattr(outcome, "task") else outcome._task
        self.result: Mapping[str, Any] = outcome.result if hasattr(outcome, "result") else outcome._result
        self.host: str = host.get_name()
        self.action: str = task.resolved_action or task.action
        self.check: bool = bool(task.check_mode)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "wirespeed.xdp.drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._hosts: Dict[str, Dict[str, Any]] = {}

    def v2_runner_on_ok(self, result: Any) -> None:
        self._compared(_Task(result))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._compared(_Task(result))

    def _compared(self, task: _Task) -> None:
        if task.action != MODULE or not task.check or "captured" in task.result:  # of captured facts: no host's state
            return
        found = deviations.found(task.result)
        if found is None:
            self._hosts[task.host] = {"state": "failed", "reason": task.result.get("msg", "")}
        else:
            self._hosts[task.host] = {"state": "drift" if found else "clean", "deviations": found}

    def v2_runner_on_unreachable(self, result: Any) -> None:
        task = _Task(result)
        self._hosts[task.host] = {"state": "unreachable", "reason": task.result.get("msg", "")}

    def v2_playbook_on_stats(self, stats: Any) -> None:
        # Only a report of drift: a run of other playbooks that met an unreachable host has none.
        if not any(host["state"] != "unreachable" for host in self._hosts.values()):
            return
        self._display.banner("DRIFT")
        for text in lines(self._hosts):
            self._display.display(text)
        path = self.get_option("report")
        if path:
            _write(path, {"schema": SCHEMA, "hosts": self._hosts})


def lines(hosts: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """Hosts with drift first, then those that could not be looked at, then the clean ones on one line."""
    text: List[str] = []
    for name, host in sorted(hosts.items()):
        if host["state"] == "drift":
            text.append(name)
            text += [f"    {deviations.line(deviation)}" for deviation in host["deviations"]]
    for state in ("failed", "unreachable"):
        text += [f"{name}: {state}: {host['reason']}" for name, host in sorted(hosts.items()) if host["state"] == state]
    clean = [name for name, host in sorted(hosts.items()) if host["state"] == "clean"]
    if clean:
        text.append(f"no drift: {', '.join(clean)}")
    return text


def _write(path: str, report: Mapping[str, Any]) -> None:
    """The file appears whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, scratch = tempfile.mkstemp(dir=folder, prefix=".drift-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=2, sort_keys=True)
            out.write("\n")
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise
