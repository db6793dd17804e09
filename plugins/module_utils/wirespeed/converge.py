# SPDX-License-Identifier: GPL-3.0-or-later
"""One node from what it is to what it should be, as a single transaction."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from . import documents, report
from .apply.actuator import Actuator, Actuators
from .apply.executor import Outcome, Transaction
from .apply.journal import start
from .apply.lock import node_lock
from .apply.recover import pending, recover
from .bundle import Bundle
from .carrier import CarrierActuator, has_carrier, wait_for_carrier, wait_for_service
from .counters.verify import Subject, subject
from .desire import asked, desire, sources
from .documents import Underway
from .errors import Place, Refused, WirespeedError
from .foreign import with_fits
from .hands import with_hands
from .kernel import bpffs, libbpf
from .model.desired import Desired
from .model.intent import Intent
from .model.node import Node
from .model.settings import Setting
from .model.step import Action, Disruption, Plan, Step
from .nic.actuator import SettingActuator
from .nic.on_demand import with_asked
from .nic.table import SETTLE
from .observe import observe
from .pipeline import protocol, traced
from .pipeline.actuator import PipelineActuator
from .pipeline.delivery import Progress, silent
from .pipeline.garbage import collect
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource
from .pipeline_checks import FixtureActuator, WatchActuator
from .plan.planner import plan
from .soak_option import Soak
from .soaking import Soaking, Watched
from .versions import versions
from .witness import write_witness

MAX_PASSES = 3
"""A pass after the first repairs what the pass before it broke behind our back (vmxnet3 turns LRO
on again at an unrelated feature change). One is usual, two happen, a third would not settle."""

Keep = Callable[[Node], Sequence[str]]
"""Called under the lock with the node as it is after a run that has succeeded; returns warnings."""


class NotKept(WirespeedError):
    """Every step succeeded, but the change did not prove itself afterwards. ``outcome`` says what was undone, ``clean``
    whether all of it was, ``soak`` what was seen."""

    def __init__(self, cause: WirespeedError, outcome: Outcome, left: Sequence[str], soak: Mapping[str, Any]) -> None:
        if left:
            remedy = f"NOT undone: {'; '.join(left)}. The next run tries again to undo it."
        else:
            remedy = f"All {len(outcome.undone)} steps were undone; the node is as before."
        super().__init__(cause.problem, f"{remedy} {cause.remedy}".strip())
        self.outcome = outcome
        self.clean = not left
        self.soak = soak


class Converger:
    """``place`` is what errors about the intent name as its source; ``seen`` the node at each look, oldest first.

    ``underway`` is a delivery of a configuration by a generation of its own; ``progress`` is told how far its rows are.
    With ``soak`` a change is undone that does not prove itself; ``listener`` is as in :class:`~.soaking.Soaking`.
    ``done`` are the steps that :meth:`run` has taken, once it has come to the call of its ``keep``.
    """

    def __init__(
        self,
        intent: Intent,
        bundle: Bundle,
        paths: Paths,
        place: Place,
        underway: Optional[Underway] = None,
        progress: Progress = silent,
        soak: Optional[Soak] = None,
        listener: Optional[int] = None,
    ) -> None:
        self._intent = intent
        self._bundle = bundle
        self._underway = underway
        self._paths = paths
        self._place = place
        self._journal = paths.state / "journal"
        self.seen: List[Node] = []
        self.done: Tuple[Step, ...] = ()
        self._soaking = None if soak is None else Soaking(paths, soak, place, listener)
        self._notes: Tuple[str, ...] = ()
        self._names = intent.names
        self._sources: Dict[str, PipelineSource] = {}  # as the last look sized them for this node
        self._subjects: Dict[str, List[Subject]] = {}
        self._pipelines = PipelineActuator(paths, self._sources)
        self._pipelines.deliveries.progress = progress
        self._watch = WatchActuator(self._pipelines.origins, lambda pipeline: self._subjects.get(pipeline, []))

    def predict(self) -> Dict[str, Any]:
        """What :meth:`run` would do; changes nothing."""
        self._prerequisites()
        node, desired, planned = self._look()
        _refuse(node, desired, planned)
        warnings = [*planned.warnings, *protocol.outdated(self._paths)]
        if pending(self._journal):
            warnings.append("An earlier run was killed half-way: the next run first undoes what that one began.")
        result = _result(node, desired, planned, planned.steps, warnings, ())
        return {**result, "versions": {"before": self._versions()}}

    def run(self, keep: Keep = lambda dummy: ()) -> Dict[str, Any]:
        """Raises :class:`Refused` before any change, or ``ApplyFailed`` after undoing all of them."""
        self._prerequisites()
        with node_lock(self._paths.run / "lock"):
            return self.run_locked(keep)

    def run_locked(self, keep: Keep = lambda dummy: ()) -> Dict[str, Any]:
        """The same for who holds the node's lock."""
        carry_out = self._actuators()
        recovered = (*protocol.migrate(self._paths), *traced.end_abandoned(self._paths), *self._recover(carry_out))
        node, desired, first = self._look()
        _refuse(node, desired, first, recovered)
        before = self._versions()
        if first.empty:
            result = _result(node, desired, first, (), [*first.warnings, *keep(node)], recovered)
            return {**result, "versions": {"before": before, "after": self._versions()}}
        if self._soaking is not None:
            self._soaking.before(self._watched())
        had_carrier = [name for name in _bounced(first.steps) if has_carrier(name)]
        node, desired, self.done = self._passes(node, first, carry_out)
        collect(self._paths)
        down = [name for name in had_carrier if not has_carrier(name)]
        slow = [f"{name}: the carrier has not come back yet." for name in down]
        told = [*first.warnings, *self._pipelines.notes, *self._watch.warnings, *self._notes, *slow, *keep(node)]
        result = _result(node, desired, first, self.done, told, recovered)
        result["versions"] = {"before": before, "after": self._versions()}
        return result if self._soaking is None else {**result, "soak": self._soaking.to_json()}

    def _versions(self) -> Dict[str, Any]:
        return versions(self._paths, [pipeline.name for pipeline in self._intent.pipelines])

    def _watched(self) -> Dict[str, Watched]:
        """What the last look found, by pipeline."""
        return {
            name: Watched(subjects, self._sources[name].manifest if name else None)
            for name, subjects in self._subjects.items()
        }

    def _prerequisites(self) -> None:
        """Raises :class:`MissingPrerequisite` before anything is looked at or changed."""
        if self._intent.pipelines:
            libbpf.version()
            bpffs.require(self._paths.bpffs)

    def _look(self, earlier: Sequence[Step] = ()) -> Tuple[Node, Desired, Plan]:
        node = observe(self._paths, self._names)
        node = with_asked(node, asked(self._intent, self._bundle, node, self._place))
        node = with_fits(node, self._intent, self._bundle)
        self.seen.append(node)
        bundle = documents.made_for(self._paths, self._bundle, self._underway)
        self._sources.update(sources(self._intent, bundle, self._place, node))
        desired = desire(self._intent, bundle, node, self._place)
        desired = documents.with_documents(self._paths, node, self._intent, desired, self._sources, self._underway)
        desired = with_hands(self._paths, node, desired, self._sources)
        self._subjects.clear()
        for wanted in desired.nics:
            own = subject(node.nics[wanted.nic], wanted.profile.counters)
            self._subjects.setdefault(wanted.pipeline or "", []).append(own)
        return node, desired, plan(node, desired, SETTLE, earlier)

    def _actuators(self) -> Actuators:
        return {**actuators(self._pipelines), Action.WATCH: self._watch}

    def _recover(self, actuators: Actuators) -> Tuple[str, ...]:
        if not pending(self._journal):
            return ()
        node = observe(self._paths, self._names)
        return recover(self._journal, node.boot_id, actuators, node.nics)

    def _passes(self, node: Node, planned: Plan, actuators: Actuators) -> Tuple[Node, Desired, Tuple[Step, ...]]:
        """Apply, look again, and apply what is still missing; undo everything if it does not settle.

        Links that a step took down must be back before the next look: what bonds can send through then decides what
        may be changed, and the last look is what the run reports.
        """
        with Transaction(actuators, start(self._journal, node.boot_id)) as transaction:
            return self._settle(node, planned, transaction)

    def _settle(self, node: Node, planned: Plan, transaction: Transaction) -> Tuple[Node, Desired, Tuple[Step, ...]]:
        serving = [member.name for upper in node.uppers.values() for member in upper.members if member.serves]
        for dummy in range(MAX_PASSES):
            had_carrier = [name for name in _bounced(planned.steps) if has_carrier(name)]
            transaction.run(planned.steps)
            wait_for_carrier(had_carrier)
            wait_for_service([name for name in _bounced(planned.steps) if name in serving])
            self._bear_witness(planned.steps)
            node, desired, planned = self._look(transaction.steps)
            if planned.refusals:
                break
            if planned.empty:
                if self._soaking is not None:
                    self._notes = prove(transaction, self._soaking, self._watched())
                return node, desired, transaction.commit()
        left = transaction.roll_back()[1]
        missing = [str(refusal) for refusal in planned.refusals] or [report.line(step) for step in planned.steps]
        raise WirespeedError(
            f"Every step succeeded, but the node is not as planned afterwards: {'; '.join(missing)}.",
            f"NOT undone: {'; '.join(left)}. The next run tries again."
            if left
            else "All steps were undone. Correct the intent, or report this driver and kernel.",
        )

    def _bear_witness(self, steps: Sequence[Step]) -> None:
        """Record for each NIC that was written in which epoch its settings are now."""
        written: Dict[str, List[Setting]] = {}
        for step in steps:
            if step.action is Action.SET:
                written.setdefault(step.target, []).append(Setting(step.resource))
        if not written:
            return
        nics = observe(self._paths, list(written)).nics
        for name, settings in written.items():
            nic = nics[name]
            write_witness(self._paths.run, name, {**nic.witness, **dict.fromkeys(settings, nic.epoch)})


def prove(transaction: Transaction, soaking: Soaking, watched: Mapping[str, Watched]) -> Tuple[str, ...]:
    """Returns what could not be judged. Raises :class:`NotKept` after undoing everything."""
    try:
        return soaking.after(watched)
    except WirespeedError as cause:
        undone, left = transaction.roll_back()
        raise NotKept(cause, Outcome(transaction.steps, tuple(undone)), left, soaking.to_json()) from cause


def actuators(pipelines: PipelineActuator) -> Dict[Action, Actuator]:
    """What carries out each kind of step, on NICs whose counters nobody watches."""
    own: Dict[Action, Actuator] = {
        Action.SET: SettingActuator(),
        Action.AWAIT: CarrierActuator(),
        Action.TEST: FixtureActuator(pipelines.origins),
        Action.WATCH: WatchActuator(pipelines.origins, lambda dummy: ()),
    }
    return {action: own.get(action, pipelines) for action in Action}


def _bounced(steps: Sequence[Step]) -> List[str]:
    return list(dict.fromkeys(step.target for step in steps if step.disruption.rank >= Disruption.RESET.rank))


def _refuse(node: Node, desired: Desired, planned: Plan, recovered: Sequence[str] = ()) -> None:
    if planned.refusals:
        reasons = " ".join(str(refusal) for refusal in planned.refusals)
        refused = Refused(f"Nothing was changed, because the intent cannot be reached: {reasons}")
        refused.outcome = _result(node, desired, planned, (), planned.warnings, recovered)
        raise refused


def _result(
    node: Node,
    desired: Desired,
    first: Plan,
    steps: Sequence[Step],
    warnings: Sequence[str],
    recovered: Sequence[str],
) -> Dict[str, Any]:
    """``steps`` of a run may be more than the first plan's: later passes are marked as corrections."""
    corrections = steps[len(first.steps) :]
    return {
        "changed": bool(steps) or bool(recovered),
        "steps": report.steps_json(steps),
        "corrections": report.steps_json(corrections),
        "deviations": report.deviations(first),
        "hostname": node.hostname,
        "kernel": node.kernel.release,
        "nics": report.rows(node, desired, steps),
        "pipelines": report.pipelines(node, desired),
        "warnings": list(warnings),
        "recovered": list(recovered),
        "diff": {"prepared": report.numbered(steps)},
    }
