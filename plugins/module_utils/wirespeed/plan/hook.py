# SPDX-License-Identifier: GPL-3.0-or-later
"""What must happen on one NIC's XDP hook: nothing, attach, re-attach, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from ..model.desired import DesiredNic
from ..model.nic import FORMER_ROOT, ROOT, Nic, XdpAttachment, XdpMode
from ..model.step import Refusal, Step
from .adopt import swap_step


@dataclass(frozen=True)
class Hook:
    """``present`` and ``wanted`` are the attachment now and then, as a step's before and after.

    Both None, or equal: nothing to do. ``goal`` is the mode the NIC ends in, None without XDP.
    """

    present: Optional[Dict[str, Any]]
    wanted: Optional[Dict[str, Any]]
    goal: Optional[XdpMode]
    why: str = ""
    refusals: Tuple[Refusal, ...] = ()
    warnings: Tuple[str, ...] = ()
    swap: Optional[Step] = None

    @property
    def attaches(self) -> bool:
        return self.wanted is not None and self.wanted != self.present


def decide(nic: Nic, desired: DesiredNic, runs: str = ROOT, new_root: bool = False) -> Hook:
    """Without a pipeline in the intent the hook is left as it is, whoever holds it.

    ``runs`` is what a NIC of the pipeline carries when all is done, ``new_root`` whether the root that it carries now
    is the former one by then.
    """
    present = _as_step(nic.xdp)
    if desired.pipeline is None:
        return Hook(present, present, nic.xdp.mode if nic.xdp else None)
    mode, warning, refusal = _mode(nic, desired)
    if refusal is None and nic.xdp is not None and nic.xdp.pipeline is None:
        refusal = _foreign(nic, nic.xdp)
    if mode is None or refusal is not None:
        return Hook(present, present, None, refusals=(refusal,) if refusal else ())
    wanted = {"mode": mode.value, "pipeline": desired.pipeline}
    swap = _swap(nic, desired, runs, new_root) if wanted == present else None
    return Hook(present, wanted, mode, _why(nic, desired.pipeline), warnings=(warning,) if warning else (), swap=swap)


def _swap(nic: Nic, desired: DesiredNic, runs: str, new_root: bool) -> Optional[Step]:
    """What cannot be told is left: its pins are gone, and loading brings such a NIC to the new root."""
    present = nic.xdp.runs if nic.xdp else ""
    if new_root and present == ROOT:
        present = FORMER_ROOT
    if present in ("", runs):
        return None
    return swap_step(nic, desired, present, runs, f"the NIC still runs {_named(present)}")


def _named(runs: str) -> str:
    return f"the {runs}" if runs in (ROOT, FORMER_ROOT) else f"generation {runs}"


def _as_step(xdp: Optional[XdpAttachment]) -> Optional[Dict[str, Any]]:
    return None if xdp is None else {"mode": xdp.mode.value, "pipeline": xdp.pipeline}


def _mode(nic: Nic, desired: DesiredNic) -> Tuple[Optional[XdpMode], str, Optional[Refusal]]:
    profile = desired.profile
    if desired.mode is XdpMode.GENERIC or (desired.mode in (None, XdpMode.NATIVE) and profile.native):
        return desired.mode or XdpMode.NATIVE, "", None
    reason = f"{nic.driver} has no native XDP on this kernel ({profile.native_note})."
    if desired.mode is None:
        return XdpMode.GENERIC, f"{nic.name}: {reason} Generic XDP is used: every packet costs an skb first.", None
    return (
        None,
        "",
        Refusal(nic.name, "xdp", reason, "Allow mode auto or generic for this NIC, or use another NIC.", True),
    )


def _foreign(nic: Nic, xdp: XdpAttachment) -> Refusal:
    how = f"bpf_link {xdp.link_id}" if xdp.link_id is not None else "netlink"
    return Refusal(
        nic.name,
        "xdp",
        f"the hook is held by program {xdp.prog_id} ({xdp.prog_name or 'unnamed'}, {xdp.mode} mode, by {how}), "
        "which Wirespeed did not attach and will not overwrite.",
        "Detach it with the tool that attached it, say foreign: adopt to take it over without a gap, or leave this "
        "NIC out of the intent.",
    )


def _why(nic: Nic, pipeline: str) -> str:
    if nic.dead_link is not None:
        return f"the pinned link of {nic.dead_link} no longer holds the hook: it was detached from outside"
    return f"pipeline {pipeline} belongs on this NIC"
