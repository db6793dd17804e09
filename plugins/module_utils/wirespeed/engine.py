# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on one node: observe, resolve, plan, apply, verify. Both fronts call these.

Every function takes plain data and returns plain JSON data; errors are :class:`WirespeedError`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import bundle as bundles
from . import report
from .apply.executor import Actuators, ApplyFailed, Outcome, run, undo
from .apply.lock import node_lock
from .apply.recover import pending, recover
from .carrier import wait_for_carrier
from .desire import desire
from .errors import MissingPrerequisite, Place, Refused, WirespeedError
from .model.desired import Desired
from .model.intent import Intent, parse
from .model.node import Node
from .model.step import Action, Plan, Step
from .nic.actuator import SettingActuator
from .nic.table import ROOMS
from .observe import observe
from .pipeline.actuator import PipelineActuator
from .pipeline.garbage import collect
from .pipeline.pins import Paths
from .plan.planner import plan
from .profiles.resolve import resolve
from .model.intent import NicIntent
from .plain import plain
from .selection import select
from .witness import write_witness

INTENT = Place("intent")
MAX_PASSES = 3
_SETTLE = {setting: room.settle for setting, room in ROOMS.items()}
