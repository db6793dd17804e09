# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of one reload, carried out again for later generations without looking at the node in between."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from wirespeed.apply.actuator import Actuator
from wirespeed.apply.executor import Transaction
from wirespeed.apply.journal import start
from wirespeed.apply.lock import node_lock
from wirespeed.model.step import Action, Step
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.garbage import collect
from wirespeed.pipeline.origins import Origins
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource
from wirespeed.pipeline_checks import FixtureActuator


@dataclass(frozen=True)
class Pattern:
    """``told``: the steps of a reload from one generation to another, as the engine's result has them."""

    told: Sequence[Mapping[str, Any]]
    old: PipelineSource
    new: PipelineSource

    def steps(self, old: PipelineSource, new: PipelineSource) -> List[Step]:
        """The same steps from another generation to another."""
        names = dict(zip(_names(self.old, self.new), _names(old, new)))
        told = [{key: value for key, value in step.items() if key != "text"} for step in self.told]
        text = re.sub("|".join(names), lambda found: names[found.group()], json.dumps(told))
        return [Step.from_json(step) for step in json.loads(text)]


def _names(old: PipelineSource, new: PipelineSource) -> List[str]:
    """The digests first: a generation is the beginning of its digest."""
    return [old.digest, new.digest, old.generation, new.generation]


def carry_out(paths: Paths, source: PipelineSource, steps: Sequence[Step]) -> None:
    """As a run does: under the node's lock, with a journal, each step read back; then the garbage is collected."""
    sources = {source.manifest.name: source}
    actuators: Dict[Action, Actuator] = dict.fromkeys(Action, PipelineActuator(paths, sources))
    actuators[Action.TEST] = FixtureActuator(Origins(paths, sources))
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    with node_lock(paths.run / "lock"):
        transaction = Transaction(actuators, start(paths.state / "journal", boot))
        transaction.run(steps)
        transaction.commit()
        collect(paths)
