# SPDX-License-Identifier: GPL-3.0-or-later
"""From profiles, an observed NIC and its intent to what this NIC should be, every expression evaluated."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .. import expression
from ..errors import BadInput, Place
from ..model.desired import Constraint, OperationRule, RedirectTarget, ResolvedProfile, Want
from ..model.intent import NicIntent, Workload, unknown_word
from ..model.nic import Nic
from ..model.node import Node
from ..model.settings import Setting, Value, Values
from ..model.step import Disruption
from ..namespace import namespace
from . import match
from .document import Document, ProfileSet
from .merge import Entry, Merged, merge
from .pending import pending
from .tuning import Tuning, tune
from .untold import judgeable

REFUSED = "refused"
REDIRECT_TARGETS = ("always", "with_program", "never")


def resolve(profiles: ProfileSet, nic: Nic, node: Node, intent: NicIntent, frags: bool = False) -> ResolvedProfile:
    """Pure; ``frags`` says whether the root of the intent's pipeline takes frames of several buffers.

    Raises :class:`BadInput` (place, field, what is allowed) and :class:`OutOfRange`."""
    documents = match.select(profiles, nic, node, intent.profile)
    merged = merge(documents, intent.workload.value)
    tuning, findings = tune(nic, merged, intent, namespace(nic, node, intent.workload.value))
    names = namespace(nic, node, intent.workload.value, planned_values(nic, tuning), frags)
    order = _order(merged, tuning)
    native, native_note = _native(merged, names)
    conditions = _concerning(merged.section("constraints"), tuning)
    constraints, unjudged = judgeable(conditions, ("holds", "explain", "remedy"), nic, names)
    facts, untold = judgeable(merged.section("findings"), ("when",), nic, names)
    target = _redirect_target(merged, names)
    return ResolvedProfile(
        names=tuple(document.name for document in documents),
        digest=merged.digest,
        tuning=tuning,
        operations=_operations(merged, nic, names),
        order=order,
        native=native,
        native_note=native_note,
        constraints=tuple(_constraints(constraints, names)),
        undone_by={Setting(name): tuple(entry.value) for name, entry in merged.section("undone_by").items()},
        reset_by=_reset_by(merged, tuning),
        lifted_for={Setting(name): tuple(entry.part("by")) for name, entry in merged.section("lifted_for").items()},
        redirect_target=target,
        reads_attached=_reads_attached(merged, tuning, names),
        findings=(
            *_match_findings(documents, nic, node, intent),
            *findings,
            *pending(nic, planned_values(nic, tuning)),
            *unjudged,
            *untold,
            *_findings(facts, names, about="nic"),
            *((target.caution,) if target.caution and intent.workload is Workload.FORWARD else ()),
        ),
        host_findings=tuple(_findings(facts, names, about="host")),
        counters={name: entry.value for name, entry in merged.section("counters").items()},
    )


def planned_values(nic: Nic, tuning: Mapping[Setting, Mapping[str, Want]]) -> Dict[Setting, Values]:
    """What each setting will read on the bare NIC; a not yet settled RSS text stands as it is."""
    planned: Dict[Setting, Values] = {}
    for setting, facts in nic.settings.items():
        wants: Dict[str, Value] = {key: want.value for key, want in tuning.get(setting, {}).items()}
        planned[setting] = {**facts.values, **wants}
    return planned


def _order(merged: Merged, tuning: Tuning) -> Tuple[str, ...]:
    entry = merged.get("order")
    words: Sequence[str] = entry.value if entry else ()
    missing = [name for name in (*(setting.value for setting in tuning), "attach") if name not in words]
    if missing:
        place = entry.place if entry else Place("profiles")
        raise BadInput(place, "order", f"lacks {', '.join(missing)}.", "List every operation once.")
    return tuple(words)


def _native(merged: Merged, names: Mapping[str, Any]) -> Tuple[bool, str]:
    entry = merged.get("native")
    if entry is None:
        raise BadInput(Place("profiles"), "native", "is in no profile that matches.", "Add 'native: true' or false.")
    return _truth(entry, "value", names), _text(entry, "note", names)


def _redirect_target(merged: Merged, names: Mapping[str, Any]) -> RedirectTarget:
    """Nothing is said of the queues to send by where this NIC does not tell how many there are."""
    entry = merged.get("redirect_target")
    if entry is None:
        return RedirectTarget("with_program")
    word = expression.evaluate(entry.part("value"), names, entry.place, f"{entry.field}.value")
    if word not in REDIRECT_TARGETS:
        raise unknown_word(entry.place, f"{entry.field}.value", str(word), REDIRECT_TARGETS)
    queues = entry.part("queues")
    if queues is not None and expression.is_expression(queues):
        queues = expression.evaluate(queues, names, entry.place, f"{entry.field}.queues")
    caution = "" if queues is None else _too_few(int(queues), names)
    return RedirectTarget(word, _text(entry, "note", names), _text(entry, "remedy", names), caution)


def _too_few(queues: int, names: Mapping[str, Any]) -> str:
    driver, cpus = names["nic"]["driver"], names["node"]["cpus"]
    if queues >= cpus:
        return ""
    return (
        f"Frames that CPU {queues} or a higher one redirects to this NIC are dropped: {driver} sends them by the queue "
        f"with the CPU's number, and there are {queues} queues for {cpus} CPUs. Keep the receive interrupts of the "
        "other NICs on the lower CPUs."
    )


def _operations(merged: Merged, nic: Nic, names: Mapping[str, Any]) -> Dict[str, OperationRule]:
    """Not of settings that this NIC does not have: what they would cost depends on them."""
    absent = [setting.value for setting in Setting if setting not in nic.settings]
    entries = merged.section("operations").items()
    return {name: _operation(entry, names) for name, entry in entries if name not in absent}


def _operation(entry: Entry, names: Mapping[str, Any]) -> OperationRule:
    bare = _disruption(entry, "bare", names)
    if bare is None:
        raise BadInput(entry.place, f"{entry.field}.bare", "is 'refused'; only 'attached' can be.")
    return OperationRule(bare, _disruption(entry, "attached", names), _text(entry, "note", names))


def _disruption(entry: Entry, part: str, names: Mapping[str, Any]) -> Optional[Disruption]:
    field = f"{entry.field}.{part}"
    word = expression.evaluate(entry.part(part), names, entry.place, field)
    if word == REFUSED:
        return None
    words = [each.value for each in Disruption]
    if word not in words:
        raise unknown_word(entry.place, field, str(word), [*words, REFUSED])
    return Disruption(word)


def _constraints(entries: Mapping[str, Entry], names: Mapping[str, Any]) -> List[Constraint]:
    return [
        Constraint(
            id=name,
            holds=_condition(entry),
            errno=str(entry.part("errno")),
            explain=_text(entry, "explain", names),
            remedy=_text(entry, "remedy", names),
            origin=str(entry.place),
            on_detach=bool(entry.part("on_detach", False)) and _truth(entry, "on_detach", names),
            concerns=Setting(entry.part("for")) if entry.part("for") else None,
        )
        for name, entry in entries.items()
    ]


def _concerning(entries: Mapping[str, Entry], tuning: Tuning) -> Dict[str, Entry]:
    """Conditions of the attach, and of settings that are asked for."""
    asked = [setting.value for setting in tuning]
    return {name: entry for name, entry in entries.items() if entry.part("for") in (None, *asked)}


def _condition(entry: Entry) -> Callable[[Mapping[str, Any]], bool]:
    return lambda names: _truth(entry, "holds", names)


def _reset_by(merged: Merged, tuning: Tuning) -> Dict[Setting, Tuple[str, ...]]:
    """Not where the driver's own value is what is wanted anyway: of a list, that is none."""
    resets: Dict[Setting, Tuple[str, ...]] = {}
    for name, entry in merged.section("reset_by").items():
        wants = [want.value for want in tuning.get(Setting(name), {}).values()]
        if any(value not in (entry.part("to"), ()) for value in wants):
            resets[Setting(name)] = tuple(entry.part("by"))
    return resets


def _reads_attached(merged: Merged, tuning: Tuning, names: Mapping[str, Any]) -> Dict[Setting, Dict[str, Value]]:
    """Only of keys that are tuned: of others no plan asks."""
    reads: Dict[Setting, Dict[str, Value]] = {}
    for setting, wants in tuning.items():
        for key, entry in merged.section("reads_attached", setting.value).items():
            if key in wants:
                value = expression.evaluate(entry.part("value"), names, entry.place, entry.field)
                reads.setdefault(setting, {})[key] = value
    return reads


def _findings(entries: Mapping[str, Entry], names: Mapping[str, Any], about: str) -> List[str]:
    chosen = [entry for entry in entries.values() if entry.part("about", "nic") == about]
    return [_text(entry, "text", names) for entry in chosen if _truth(entry, "when", names)]


def _match_findings(documents: Sequence[Document], nic: Nic, node: Node, intent: NicIntent) -> List[str]:
    if intent.profile is not None:
        strange = [each for each in documents if each.data["match"] != "named" and not match.matches(each, nic, node)]
        return [
            f"profile {each.name} is asked for by name, though it is not made for this {nic.driver}."
            for each in strange
        ]
    if all(each.data["match"] == "any" for each in documents):
        names = ", ".join(each.name for each in documents)
        return [f"no profile knows the driver {nic.driver!r}: only what {names} says is done, costs are assumed high."]
    return []


def _truth(entry: Entry, part: str, names: Mapping[str, Any]) -> bool:
    field = f"{entry.field}.{part}"
    value = expression.evaluate(entry.part(part), names, entry.place, field)
    if not isinstance(value, bool):
        raise BadInput(entry.place, field, f"gives {value!r}.", "Allowed: true or false.")
    return value


def _text(entry: Entry, part: str, names: Mapping[str, Any]) -> str:
    return str(expression.evaluate(entry.part(part, ""), names, entry.place, f"{entry.field}.{part}")).strip()
