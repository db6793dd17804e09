# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a person reads it."""

from __future__ import annotations

import textwrap
from typing import Any, Iterator, List, Mapping

_VERDICT = {
    "breaks": "something breaks: see to it before the reboot.",
    "changes": "something changes.",
    "informs": "nothing changes that the intent or a profile makes use of.",
    None: "nothing changes.",
}
_WIDTH = 116


def foretold(data: Mapping[str, Any]) -> List[str]:
    """Of :func:`..upgrade_engine.foretell`."""
    if data["phase"] == "after":
        return [f"Kernel {data['target']} runs already: nothing is left to foretell."]
    lines = [f"{data['kernel']} -> {data['target']}: {_VERDICT[data['severity']]}"]
    lines += _by_subject(data["changes"])
    if data["steps"] and not data["refusals"]:
        lines += [
            "",
            "After the boot a run would take these steps, beside settings that the drivers start otherwise with:",
        ]
        lines += [f"{number:3}. {step['text']}" for number, step in enumerate(data["steps"], 1)]
    if data["refusals"]:
        lines += ["", "After the boot a run would be refused, and take no step:"]
        lines += [line for refusal in data["refusals"] for line in _wrapped(f"  {refusal['text']}", "    ")]
    if data["notes"]:
        lines += ["", *(f"note: {note}" for note in data["notes"])]
    return lines


def _by_subject(changes: List[Mapping[str, Any]]) -> Iterator[str]:
    for subject in dict.fromkeys(each["subject"] for each in changes):
        yield f"\n{subject}"
        for each in changes:
            if each["subject"] == subject:
                yield from _change(each)


def _change(each: Mapping[str, Any]) -> Iterator[str]:
    values = f"{short(each['before'])} -> {short(each['after'])}"
    yield from _wrapped(f"  {each['severity']:8} {each['aspect']} {each['key']}: {values}", "           ")
    if each["why"]:
        yield from _wrapped(f"           {each['why']}", "           ")


def short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(short, value)) or "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {short(each)}" for key, each in value.items()) or "none"
    return str(value)


def compared(data: Mapping[str, Any]) -> List[str]:
    """Of :func:`..upgrade_engine.compared`."""
    if not data["foretold"]:
        lines = [f"{data['kernel']}: nothing was foretold for this kernel on this node."]
    elif data["differences"]:
        lines = [f"{data['foretold']} -> {data['kernel']}: not all is as foretold."]
        for each in data["differences"]:
            told = f"foretold {short(each['foretold'])}, is {short(each['real'])}"
            lines += _wrapped(f"  {each['nic']}: {each['key']}: {told}", "      ")
    else:
        lines = [f"{data['foretold']} -> {data['kernel']}: all is as foretold."]
    if data["untold"]:
        lines.append("Could not be foretold, because the interface was down then or its kernel has no such setting:")
        lines += [f"  {each['nic']}: {each['key']} {short(each['real'])}" for each in data["untold"]]
    if data["left"]:
        lines += ["Not converged yet: a run would take these steps:"]
        lines += [f"{number:3}. {step['text']}" for number, step in enumerate(data["left"], 1)]
    return lines


def _wrapped(text: str, margin: str) -> List[str]:
    """What stands before the first word of ``text`` stays."""
    first = text[: len(text) - len(text.lstrip())]
    layout = textwrap.TextWrapper(_WIDTH, first, margin, break_long_words=False, break_on_hyphens=False)
    return layout.wrap(text.lstrip())
