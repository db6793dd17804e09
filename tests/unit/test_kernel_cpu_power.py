# SPDX-License-Identifier: GPL-3.0-or-later
"""Governors and idle states from a sysfs as Linux 6.12 lays it out, on machines of several kinds."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable, Dict

import pytest

from wirespeed.kernel import cpu_power
from wirespeed.model.node import CpuIdle

STATES = {
    "state0": {"name": "POLL", "latency": "0", "disable": "0"},
    "state1": {"name": "C1", "latency": "1", "disable": "0"},
    "state2": {"name": "C1E", "latency": "2", "disable": "0"},
    "state3": {"name": "C6", "latency": "133", "disable": "0"},
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Dict[str, str]], Path]:
    monkeypatch.setattr(cpu_power, "_CPU", tmp_path / "cpu")
    monkeypatch.setattr(cpu_power, "_LATENCY_LIMIT", tmp_path / "cpu_dma_latency")

    def write(files: Dict[str, str]) -> Path:
        for name, text in {"online": "0-127", **files}.items():
            path = tmp_path / "cpu" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n", encoding="ascii")
        return tmp_path

    return write


def sleeping(**changed: str) -> Dict[str, str]:
    files = {f"cpu0/cpuidle/{state}/{key}": text for state, keys in STATES.items() for key, text in keys.items()}
    return {"cpuidle/current_driver": "intel_idle", **files, **changed}


def test_cpus_are_counted_by_governor(machine: Callable[[Dict[str, str]], Path]) -> None:
    governors = {f"cpufreq/policy{cpu}/scaling_governor": "powersave" for cpu in range(128)}
    governors["cpufreq/policy7/scaling_governor"] = "performance"
    machine({**governors, **{f"cpufreq/policy{cpu}/affected_cpus": str(cpu) for cpu in range(128)}})
    assert cpu_power.governors() == {"powersave": 127, "performance": 1}


def test_a_policy_of_several_cpus_counts_them_all(machine: Callable[[Dict[str, str]], Path]) -> None:
    machine({"cpufreq/policy0/scaling_governor": "schedutil", "cpufreq/policy0/affected_cpus": "0 1 2 3"})
    assert cpu_power.governors() == {"schedutil": 4}


def test_a_policy_whose_cpus_are_offline_counts_none(machine: Callable[[Dict[str, str]], Path]) -> None:
    machine({"cpufreq/policy0/scaling_governor": "powersave", "cpufreq/policy0/affected_cpus": ""})
    assert cpu_power.governors() == {}


def test_a_machine_that_sets_no_frequency_has_no_governor(machine: Callable[[Dict[str, str]], Path]) -> None:
    machine({})
    assert cpu_power.governors() == {}


def test_the_deepest_state_is_told_with_what_waking_costs(machine: Callable[[Dict[str, str]], Path]) -> None:
    machine(sleeping())
    assert cpu_power.idle() == CpuIdle("intel_idle", "C6", 133)


def test_a_disabled_state_is_not_entered(machine: Callable[[Dict[str, str]], Path]) -> None:
    machine(sleeping(**{"cpu0/cpuidle/state3/disable": "1"}))
    assert cpu_power.idle() == CpuIdle("intel_idle", "C1E", 2)


@pytest.mark.parametrize(("limit", "state"), [(2_000_000_000, "C6"), (100, "C1E"), (1, "C1"), (0, "POLL")])
def test_a_latency_request_forbids_deeper_states(
    machine: Callable[[Dict[str, str]], Path], limit: int, state: str
) -> None:
    (machine(sleeping()) / "cpu_dma_latency").write_bytes(struct.pack("=i", limit))
    found = cpu_power.idle()
    assert found is not None and found.state == state


@pytest.mark.parametrize("files", [{}, {"cpuidle/current_driver": "none"}])
def test_a_machine_without_idle_states_tells_none(
    machine: Callable[[Dict[str, str]], Path], files: Dict[str, str]
) -> None:
    machine(files)
    assert cpu_power.idle() is None
