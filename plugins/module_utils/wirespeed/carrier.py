# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until NICs that a plan bounced have their carrier back; carries out AWAIT steps."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Callable, Iterable, List, Optional

from .errors import KernelRefusal, WirespeedError
from .kernel import rtnetlink
from .model.node import CARRIER_PATIENCE
from .model.step import Step
from .nic.uppers import serves

_LOOK_AGAIN = 0.05


class CarrierActuator:
    """Waits until a bond can send through a member again, before the next member is touched.

    The undo of a wait comes after the undo of that next member, so it waits for it, and then goes on
    whatever came of it: a link that stays down is nothing that an undo could mend.
    """

    def apply(self, step: Step) -> None:
        """Raises :class:`WirespeedError` when the member's link has not come back in time."""
        said = step.after or step.before
        member = step.target if step.after else said["next"]
        if not wait_for_carrier([member], said["seconds"], _serves) or not step.after:
            return
        raise WirespeedError(
            f"{said['master']} cannot send through {member} again {said['seconds']} s after it was changed, so "
            f"{said['next']} was not touched: {said['master']} would have been without a carrier.",
            f"Look at the cable, the switch port and (with LACP) the partner of {member}.",
        )

    def deviation(self, step: Step) -> str:
        return ""


def wait_for_carrier(
    names: Iterable[str], patience: float = CARRIER_PATIENCE, there: Optional[Callable[[str], bool]] = None
) -> List[str]:
    """Returns the names that are still without carrier when ``patience`` seconds are over."""
    arrived = there or has_carrier
    waiting = [name for name in names if not arrived(name)]
    deadline = time.monotonic() + patience
    while waiting and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN)
        waiting = [name for name in waiting if not arrived(name)]
    return waiting


def wait_for_service(names: Iterable[str]) -> List[str]:
    """As :func:`wait_for_carrier`, for members of a bond: until it can send through them again."""
    return wait_for_carrier(names, there=_serves)


def has_carrier(name: str) -> bool:
    """False also while the interface is down: its carrier then reads EINVAL (net-sysfs.c)."""
    try:
        return Path("/sys/class/net", name, "carrier").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def _serves(name: str) -> bool:
    try:
        return serves(rtnetlink.link_named(name))
    except KernelRefusal as error:
        if error.code != errno.ENODEV:
            raise
        return False
