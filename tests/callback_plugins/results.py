# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every task result as one JSON line, so that a test or the demo reads what really came back."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: aggregate
short_description: Task results as JSON lines in the file that WIRESPEED_RESULTS names
description: For tests and the demo.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, outcome, result):
        host, task, data = result._host.get_name(), result._task, result._result
        line = {"host": host, "task": task.get_name(), "action": task.action, "outcome": outcome, "result": data}
        with open(os.environ["WIRESPEED_RESULTS"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self._record("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._record("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._record("skipped", result)

    def v2_playbook_on_stats(self, stats):
        for host in stats.processed:
            line = {"host": host, "task": "stats", "action": "stats", "outcome": "ok", "result": stats.summarize(host)}
            with open(os.environ["WIRESPEED_RESULTS"], "a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
