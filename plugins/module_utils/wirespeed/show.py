# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's results as text for a terminal."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence


def facts(data: Mapping[str, Any]) -> str:
    size = f"{data['cpus_online']} CPUs, {data['ram_mib']} MiB"
    lines = [f"{data['hostname']}: kernel {data['kernel']['release']}, {size}, libbpf {data['libbpf']}"]
    for nic in data["nics"].values():
        lines += [
            "",
            f"{nic['name']}: {nic['driver']} ({nic['bus_address'] or nic['kind']}), firmware {nic['firmware'] or '-'}",
        ]
        lines.append(f"  profile    {' + '.join(nic.get('profile', [])) or '-'}")
        lines.append(f"  xdp        {_attachment(nic['xdp'])}")
        for setting, values in nic["settings"].items():
            if setting not in ("features", "rss"):
                lines.append(f"  {setting:10} {_values(values['values'], values['maxima'])}")
        lines += [f"  {setting:10} not here: {reason}" for setting, reason in nic["unsupported"].items()]
        lines += [f"  note       {finding}" for finding in nic.get("findings", [])]
    return "\n".join(lines)


def plan(data: Mapping[str, Any]) -> str:
    if not data["steps"]:
        return "\n".join([*_warnings(data), "Nothing to do: the node is as wanted."])
    return "\n".join([*_warnings(data), *_steps(data["steps"])])


def applied(data: Mapping[str, Any]) -> str:
    done = f"{len(data['steps'])} step(s) done." if data["steps"] else "Nothing to do: the node is as wanted."
    return "\n".join([*data["recovered"], *_warnings(data), *_steps(data["steps"]), done])


def verified(data: Mapping[str, Any]) -> str:
    lines = [f"{each['path']}: want {each['want']}, have {each['have']} ({each['why']})" for each in data["deviations"]]
    return "\n".join([*lines, counters(data)])


def counters(data: Mapping[str, Any]) -> str:
    return "\n".join(data["text"])


def _attachment(xdp: Any) -> str:
    if xdp is None:
        return "none"
    owner = xdp["pipeline"] or "not attached by Wirespeed"
    return f"{xdp['mode']}, program {xdp['prog_id']} {xdp['prog_name']} ({owner})"


def _values(values: Mapping[str, Any], maxima: Mapping[str, int]) -> str:
    return ", ".join(
        f"{key} {value}" + (f" of {maxima[key]}" if key in maxima else "") for key, value in values.items()
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> List[str]:
    return [f"{number:3}. {step['text']}" for number, step in enumerate(steps, 1)]


def _warnings(data: Mapping[str, Any]) -> List[str]:
    return [f"warning: {warning}" for warning in data["warnings"]]
