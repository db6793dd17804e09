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
    prints it in one piece, worst first. Hosts that could not be looked at, and what cannot be had on a host, are listed
    apart from those without drift.
  - Writes the report as JSON for machines and as an HTML page for people where that is asked for. The command
    C(wirespeed drift --from) reads the JSON again, and ends with an exit code for a scheduler.
  - What a host has told is kept in a file until the end of the run, so that memory does not grow with it.
requirements:
  - C(callbacks_enabled) in ansible.cfg, or E(ANSIBLE_CALLBACKS_ENABLED), names V(wirespeed.xdp.drift).
options:
  report:
    description:
      - Also write the report as JSON into this file. A new one is readable by its owner alone.
      - Its JSON Schema is C(plugins/module_utils/wirespeed/drift/schema.json).
    type: path
    env:
      - name: WIRESPEED_DRIFT_REPORT
    ini:
      - section: callback_wirespeed_drift
        key: report
  page:
    description: Also write the report as one HTML page into this file. A new one is readable by its owner alone.
    type: path
    env:
      - name: WIRESPEED_DRIFT_PAGE
    ini:
      - section: callback_wirespeed_drift
        key: page
"""

import tempfile
import time
from pathlib import Path
from typing import Any, List, Mapping, Optional

from ansible.plugins.callback import CallbackBase

from ..module_utils.wirespeed import __version__
from ..module_utils.wirespeed.drift import document, lines, written
from ..module_utils.wirespeed.drift.document import State
from ..module_utils.wirespeed.drift.fleet import report
from ..module_utils.wirespeed.drift.parts import Parts
from ..module_utils.wirespeed.errors import WirespeedError

MODULE = "wirespeed.xdp.node"


class _Task:
    """What a task result says; ansible-core 2.21 renames the attributes."""

    def __init__(self, outcome: Any) -> None:
        host = outcome.host if hasattr(outcome, "host") else outcome._host
        task = outcome.task if hasattr(outcome, "task") else outcome._task
        self.result: Mapping[str, Any] = outcome.result if hasattr(outcome, "result") else outcome._result
        self.host: str = host.get_name()
        self.compares: bool = _compares(task) and "captured" not in self.result  # of captured facts: no host's state

    @property
    def reason(self) -> str:
        return str(self.result.get("msg") or "it gave no reason")


def _compares(task: Any) -> bool:
    return (task.resolved_action or task.action) == MODULE and bool(task.check_mode)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "wirespeed.xdp.drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # Removed with this object, also where a run ends early.
        self._folder: Optional["tempfile.TemporaryDirectory[str]"] = None
        self._asked = False

    @property
    def _parts(self) -> Parts:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="wirespeed-drift-")
        return Parts(Path(self._folder.name))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A run that looks for no drift has no report, whatever hosts it does not reach."""
        self._asked = self._asked or any(_compares(task) for task in _tasks(play))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._asked = self._asked or _compares(task)

    def v2_runner_on_ok(self, result: Any) -> None:
        task = _Task(result)
        if task.compares:
            self._compared(task)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        task = _Task(result)
        if task.compares:
            self._compared(task)
        elif not ignore_errors and not self._parts.has(task.host):  # it was not looked at because of this
            self._parts.keep(document.not_compared(task.host, State.FAILED, task.reason))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        task = _Task(result)
        self._parts.keep(document.not_compared(task.host, State.UNREACHABLE, task.reason))

    def _compared(self, task: _Task) -> None:
        state = State.UNSUPPORTED if task.result.get("unsupported") else State.FAILED
        found = document.compared(task.host, task.result)
        self._parts.keep(found or document.not_compared(task.host, state, task.reason))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if not self._asked:
            return
        made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        found = report(made_at, __version__, self._parts, self._parts.read)
        self._display.banner("DRIFT")
        for text in lines.lines(found):
            self._display.display(text)
        for option, write in (("report", written.write_json), ("page", written.write_page)):
            path = self.get_option(option)
            if path:
                try:
                    write(Path(path), found)
                except WirespeedError as error:
                    self._display.error(f"wirespeed.xdp.drift: {option}: {error}", wrap_text=False)


def _tasks(play: Any) -> List[Any]:
    """The play's own, out of their blocks; those of roles and includes are seen when they start."""
    found: List[Any] = []
    rest = list(play.get_tasks())
    while rest:
        each = rest.pop()
        if isinstance(each, list):
            rest += each
        elif hasattr(each, "block"):
            rest += [*each.block, *each.rescue, *each.always]
        else:
            found.append(each)
    return found
