# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``trace``: packets of one NIC with what became of them, as pcapng; one call for both fronts."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional

from . import __version__
from .apply.lock import node_lock
from .engine import require_root
from .errors import KernelRefusal, Place, Refused, WirespeedError
from .kernel import libbpf
from .pipeline import attach, protocol, traced
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource
from .trace import pcapng, subject
from .trace import tracer as tracers
from .trace.options import By, Options
from .trace.output import Output
from .trace.pcapng import Interface
from .trace.session import Outcome, Session
from .trace.subject import Subject
from .trace.swap import Swap
from .trace.tracer import Tracer
from .trace.ways import AtExit, TraceBuild, Way
from .trace.words import Commentator


def trace(
    asked: Mapping[str, Any],
    write: str,
    objects: Mapping[str, bytes],
    stop: Callable[[], bool] = lambda: False,
    check: bool = False,
    source: str = "trace",
) -> Dict[str, Any]:
    """Traces one NIC as :class:`~.trace.options.Options` says, to the file ``write`` or, for ``-``, to standard output.

    ``objects`` are the compiled tracers by name. ``stop`` is asked often whether that was enough. With ``check`` only
    says how it would. What runs is as before when it returns or raises. Raises :class:`BadInput`, :class:`Refused` or
    :class:`Busy` before anything is touched.
    """
    require_root()
    place, paths = Place(source), Paths.from_environment()
    options = Options.of(asked, place)
    libbpf.version()
    protocol.check(paths)
    found = subject.on(paths, options.nic)
    with ExitStack() as stack:
        chosen = _chosen(paths, options, found, objects, place, stack)
        interface = Interface(f"{found.name}@{chosen.way.suffix}", found.nic, snaplen=options.snaplen)
        told = {"changed": True, "file": write, "interface": interface.name, "warnings": chosen.notes}
        if check:
            return told
        output = Output(write, place)
        stack.callback(output.close)
        session = Session(chosen.tracer, chosen.way, chosen.words, options, output, stop)
        outcome = session.run(_head(), interface)
    return {**told, **_counted(outcome), "warnings": [*chosen.notes, *outcome.told]}


@dataclass(frozen=True)
class _Chosen:
    """``notes`` say in sentences what this trace cannot tell, and why."""

    tracer: Tracer
    way: Way
    words: Commentator
    notes: List[str]


def _chosen(
    paths: Paths, options: Options, found: Subject, objects: Mapping[str, bytes], place: Place, stack: ExitStack
) -> _Chosen:
    notes: List[str] = []
    source = _noting(paths, options, found, notes)
    names = [verdict.name for verdict in source.manifest.verdicts] if source else []
    choice = tracers.choice(options, found.ifindex, names, place)
    words = Commentator.of(source.manifest) if source else Commentator()
    swap = Swap(paths, source.manifest.name) if source else None

    def tracer(name: str) -> Tracer:
        made = Tracer(objects[name], name, choice, options)
        stack.callback(made.close)
        return made

    if options.by is not By.BUILD:
        at_exit = tracer("trace_fexit")
        try:
            return _Chosen(at_exit, AtExit(at_exit, found, swap), words, notes)
        except WirespeedError as error:
            if options.by is By.FEXIT or source is None:
                raise Refused(" ".join([_not_by_fexit(error), error.remedy, *notes])) from error
            notes.append(_not_by_fexit(error))
    if source is None or swap is None:
        raise Refused(" ".join(notes))
    build = tracer("trace_frags" if source.takes_fragments else "trace")
    return _Chosen(build, TraceBuild(build, swap), words, notes)


def _not_by_fexit(error: WirespeedError) -> str:
    if isinstance(error, KernelRefusal) and error.code == errno.EPERM:
        return "Not by fexit: this kernel loads no program for the exit of another one (EPERM)."
    return f"Not by fexit: {error.problem}"


def _noting(paths: Paths, options: Options, found: Subject, notes: List[str]) -> Optional[PipelineSource]:
    """The source of the pipeline whose notes are to be on; None where there are none to be had, with the reason told.

    Raises :class:`Refused` where the trace asks for what they alone tell.
    """
    if not options.swap:
        return None
    try:
        if found.pipeline is None:
            raise Refused(
                f"{found.nic} carries '{found.name}', which is no pipeline of ours, so that only the action of each "
                "packet is known."
            )
        return traced.source(paths, found.pipeline)
    except WirespeedError as error:
        if options.by is By.BUILD or options.customer is not None or options.policy is not None:
            raise
        notes.append(str(error))
        return None


def _head() -> bytes:
    system = os.uname()
    return pcapng.section(
        system.machine, f"{system.sysname} {system.nodename} {system.release}", f"wirespeed {__version__}"
    )


def _counted(outcome: Outcome) -> Dict[str, Any]:
    tally = outcome.tally
    return {
        "bytes": outcome.size,
        "seconds": round(outcome.seconds, 3),
        "ended": outcome.ended,
        "packets": {
            "seen": tally.seen,
            "matched": tally.matched,
            "written": outcome.written,
            "lost": outcome.lost,
        },
        "lost_by": {"rate": tally.limited, "ring": tally.no_room, "file": outcome.undelivered},
    }


def stop(nic: str) -> Dict[str, Any]:
    """Takes back what killed traces left, on ``nic`` or elsewhere; nothing to do is no error.

    Raises :class:`WirespeedError` where there is no such NIC.
    """
    require_root()
    paths = Paths.from_environment()
    attach.ifindex(nic)
    with node_lock(paths.run / "lock"):
        told = traced.end_abandoned(paths)
    return {"changed": bool(told), "recovered": list(told)}
