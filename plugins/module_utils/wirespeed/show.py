# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's results as text for a terminal."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from . import report
from .model.claim import Claim, worded
from .model.settings import Setting

_NO_SUCH_OPERATION = "the driver has no such operation (EOPNOTSUPP)"


def facts(data: Mapping[str, Any]) -> str:
    size = f"{data['cpus_online']} CPUs, {data['ram_mib']} MiB"
    lines = [f"{data['hostname']}: kernel {data['kernel']['release']}, {size}, libbpf {data['libbpf']}"]
    lines += [f"  {'note':13} {finding}" for finding in data.get("findings", [])]
    for nic in data["nics"].values():
        lines += [
            "",
            f"{nic['name']}: {nic['driver']} ({nic['bus_address'] or nic['kind']}), firmware {nic['firmware'] or '-'}",
        ]
        lines.append(f"  {'profile':13} {' + '.join(nic.get('profile', [])) or '-'}")
        lines.append(f"  {'xdp':13} {_attachment(nic['xdp'])}")
        for setting, values in nic["settings"].items():
            if setting != "features":
                lines.append(f"  {setting:13} {_values(values['values'], values['maxima'])}")
        lines += _absent(nic["unsupported"])
        lines += [f"  {'also set by':13} {_claim(claim)}" for claim in nic.get("claims", [])]
        lines += [f"  {'note':13} {finding}" for finding in nic.get("findings", [])]
    return "\n".join(lines)


def _absent(reasons: Mapping[str, str]) -> List[str]:
    """One line of those that the driver simply lacks; a reason that says more has its own."""
    plain = [setting for setting, reason in reasons.items() if reason.endswith(_NO_SUCH_OPERATION)]
    told = [f"  {setting:13} not here: {reason}" for setting, reason in reasons.items() if setting not in plain]
    return [f"  {'not here':13} {', '.join(plain)}", *told] if plain else told


def _claim(data: Mapping[str, Any]) -> str:
    """``tuned: rings.rx 1024 (/etc/tuned/fast/tuned.conf:12, [net] ring)``"""
    claim = Claim(**{**data, "setting": Setting(data["setting"])})
    value = "as it decides" if claim.value is None else worded(claim.value)
    aside = "" if claim.active else ", not active"
    return f"{claim.manager}: {claim.setting}.{claim.key} {value} ({claim.origin}{aside})"


def plan(data: Mapping[str, Any]) -> str:
    if not data["steps"]:
        return "\n".join([*_warnings(data), "Nothing to do: the node is as wanted."])
    return "\n".join([*_warnings(data), *_steps(data["steps"])])


def rendered(data: Mapping[str, Any]) -> str:
    captured = data["captured"]
    head = f"For {captured['hostname']} as it was captured (kernel {captured['kernel']}); no node was looked at."
    if not data["refusals"]:
        return f"{head}\n{plan(data)}"
    refused = [f"refused: {refusal['text']}" for refusal in data["refusals"]]
    return "\n".join([head, *_warnings(data), *_steps(data["steps"]), *refused, "No step of this would be taken."])


def gathered(data: Mapping[str, Any]) -> str:
    """An intent file."""
    import yaml

    text: str = yaml.safe_dump(dict(data), default_flow_style=None, sort_keys=False, width=120)
    return text.rstrip()


def applied(data: Mapping[str, Any]) -> str:
    done = f"{len(data['steps'])} step(s) done." if data["steps"] else "Nothing to do: the node is as wanted."
    return "\n".join([*data["recovered"], *_warnings(data), *_steps(data["steps"]), done])


def verified(data: Mapping[str, Any]) -> str:
    lines = [
        f"{each['path']}: want {each['want']}, have {each['have']} ({'; '.join([each['why'], *each.get('also', [])])})"
        for each in data["deviations"]
    ]
    return "\n".join([*lines, counters(data)])


def counters(data: Mapping[str, Any]) -> str:
    return "\n".join(data["text"])


def _attachment(xdp: Any) -> str:
    if xdp is None:
        return "none"
    owner = xdp["pipeline"] or "not attached by Wirespeed"
    return f"{xdp['mode']}, program {xdp['prog_id']} {xdp['prog_name']} ({owner})"


def _values(values: Mapping[str, Any], maxima: Mapping[str, int]) -> str:
    return ", ".join(f"{key} {_value(value)}" + _limit(value, maxima.get(key)) for key, value in values.items())


def _value(value: Any) -> str:
    """An indirection table as the share of each queue."""
    if isinstance(value, list):
        return "/".join(str(value.count(queue)) for queue in range(max(value, default=-1) + 1))
    return report.short(value)


def _limit(value: Any, maximum: Any) -> str:
    counts = isinstance(value, int) and not isinstance(value, bool)
    return f" of {maximum}" if counts and maximum is not None else ""


def _steps(steps: Sequence[Mapping[str, Any]]) -> List[str]:
    return [f"{number:3}. {step['text']}" for number, step in enumerate(steps, 1)]


def _warnings(data: Mapping[str, Any]) -> List[str]:
    return [f"warning: {warning}" for warning in data["warnings"]]
