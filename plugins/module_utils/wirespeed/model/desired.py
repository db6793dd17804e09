# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node should look like: the intent, resolved by profiles against what was observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Tuple

from .nic import ROOT, XdpMode
from .node import RootFacts
from .settings import Setting, Value
from .step import Disruption


@dataclass(frozen=True)
class Want:
    """One wanted value. ``origin`` is ``file:line`` or ``intent``; ``why`` the profile's reason."""

    value: Value
    origin: str
    why: str


@dataclass(frozen=True)
class OperationRule:
    """What one operation costs on this driver and kernel.

    The operations are the settings' names and ``attach``, ``detach``, ``swap``.
    ``bare`` applies without a program, ``attached`` with one. ``attached`` is None when the
    driver refuses the operation then: the plan must detach first. ``note`` names the kernel fact.
    """

    bare: Disruption
    attached: Optional[Disruption]
    note: str = ""


@dataclass(frozen=True)
class Constraint:
    """A condition that native attach needs, known before the call.

    ``holds`` takes the expression namespace of the *planned* NIC (see ``namespace.namespace``).
    ``errno`` is what the kernel would answer, ``explain`` and ``remedy`` are what we answer instead.
    ``on_detach``: the driver asks for it at a detach too. ``concerns`` is the setting that needs it
    whenever it is asked for, or None for the attach.
    """

    id: str
    holds: Callable[[Mapping[str, Any]], bool]
    errno: str
    explain: str
    remedy: str
    origin: str
    on_detach: bool = False
    concerns: Optional[Setting] = None


@dataclass(frozen=True)
class RedirectTarget:
    """Whether XDP_REDIRECT can send into a NIC: ``value`` is ``always``, ``with_program`` (only while a native program
    is attached there) or ``never``.

    ``caution`` tells where the driver sends by the queue with the CPU's number and has fewer queues than CPUs.
    """

    value: str
    note: str = ""
    remedy: str = ""
    caution: str = ""


@dataclass(frozen=True)
class ResolvedProfile:
    """The merged profiles for one NIC, every expression evaluated.

    ``names``      the profiles that took part, weakest first: ``("generic", "igb")``.
    ``digest``     identifies the merged text, for reports.
    ``tuning``     what to set: setting -> key -> Want.
    ``operations`` the cost of each operation.
    ``order``      operation names in the order in which the planner must run them.
    ``native``     whether the driver has native XDP on this kernel; ``native_note`` says why not.
    ``undone_by``  setting -> operations after which the driver forgets it though it reads back.
    ``reset_by``   setting -> operations after which the driver has put its own value in place, and says so.
    ``lifted_for`` setting -> operations that the driver refuses while its list is not empty.
    ``reads_attached``  setting -> key -> the value that a correctly tuned NIC reports while a
                   native program is attached, where that differs from the value that was set.
    ``redirect_target``  whether other NICs can redirect into this one.
    ``findings``   facts that the user should know about this NIC, evaluated true.
    ``host_findings``  the same about the host: alike for all its NICs.
    ``counters``   the merged counter table, as plain data (see ``counters/``).
    """

    names: Tuple[str, ...]
    digest: str
    tuning: Mapping[Setting, Mapping[str, Want]]
    operations: Mapping[str, OperationRule]
    order: Tuple[str, ...]
    native: bool
    native_note: str = ""
    constraints: Tuple[Constraint, ...] = ()
    undone_by: Mapping[Setting, Tuple[str, ...]] = field(default_factory=dict)
    reset_by: Mapping[Setting, Tuple[str, ...]] = field(default_factory=dict)
    lifted_for: Mapping[Setting, Tuple[str, ...]] = field(default_factory=dict)
    reads_attached: Mapping[Setting, Mapping[str, Value]] = field(default_factory=dict)
    redirect_target: RedirectTarget = RedirectTarget("with_program")
    findings: Tuple[str, ...] = ()
    host_findings: Tuple[str, ...] = ()
    counters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DesiredNic:
    """One NIC of the intent after resolution. ``pipeline`` None means: tune only, leave XDP alone.

    ``mode`` is None for ``auto``: native where the driver has it, else generic with a warning.
    ``redirect_to`` names the NICs into which its program redirects. ``named`` is false for a NIC that is only such
    a target of others. ``frags`` is whether the pipeline's root takes frames of several buffers. ``adopt``: a program
    that someone else attached is taken over instead of being left alone.
    """

    nic: str
    profile: ResolvedProfile
    pipeline: Optional[str]
    mode: Optional[XdpMode]
    max_disruption: Disruption
    redirect_to: Tuple[str, ...] = ()
    named: bool = True
    frags: bool = False
    adopt: bool = False


@dataclass(frozen=True)
class DesiredDocument:
    """A configuration that this node keeps, by its digest, for a pipeline whose tables no intent fills.

    ``before`` and ``after``: what the step that delivers it has to say besides, where it makes a new version of it.
    """

    digest: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DesiredPipeline:
    """One pipeline: which code (``digest``), and the rows of each table.

    ``root`` is what its NICs are to carry, and ``why_root`` why so. ``fixtures`` is how many packets are to be tested
    before the code is live, ``watch`` for how many seconds its counters are compared around a publish. ``lost`` says
    what of the running generation's maps a load would lose, ``refused`` (problem and remedy) why it cannot take over.
    ``only_stage`` is the one program in which the code differs from what runs, where it is one. ``document`` takes the
    place of ``tables``.
    """

    name: str
    generation: str
    digest: str
    tables: Mapping[str, Tuple[str, ...]]
    origin: str
    root: Optional[RootFacts] = None
    why_root: str = ""
    fixtures: int = 0
    watch: float = 0.0
    lost: Tuple[str, ...] = ()
    refused: Optional[Tuple[str, str]] = None
    only_stage: Optional[str] = None
    document: Optional[DesiredDocument] = None

    @property
    def carried(self) -> RootFacts:
        return self.root or RootFacts(self.name)

    @property
    def runs(self) -> str:
        """What a NIC carries when all is done: see :class:`~.nic.XdpAttachment`."""
        return self.generation if self.carried.direct else ROOT


@dataclass(frozen=True)
class Desired:
    nics: Tuple[DesiredNic, ...] = ()
    pipelines: Tuple[DesiredPipeline, ...] = ()
