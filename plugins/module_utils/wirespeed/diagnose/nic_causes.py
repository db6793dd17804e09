# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes on the wire and in the NIC, before a descriptor is asked for: link, MAC, bus, flow control. Pure."""

from __future__ import annotations

from typing import Iterator, Optional

from ..counters.table import Counter
from .busy import cpu_words, hot_cpu, idle_words, losses
from .cause import Cause, Confidence, Stage
from .evidence import Evidence, Pcie


def link(seen: Evidence) -> Optional[Cause]:
    if not seen.carrier_changes:
        return None
    return Cause(
        Stage.LINK,
        "the carrier came and went: while it is gone nothing arrives, and no counter says what was sent",
        Confidence.CERTAIN,
        max(1, seen.lost),
        (f"the carrier of {seen.nic} changed {seen.carrier_changes} times",),
        ("Look for who set the NIC (dmesg, 'wirespeed plan'), then at the cable and the peer.",),
    )


def damaged(seen: Evidence) -> Optional[Cause]:
    damaged = seen.count(Counter.ERROR_CRC)
    if not damaged:
        return None
    advice = "Exchange cable and module, compare FEC on both sides ('ethtool --show-fec'); neither ring nor CPU helps."
    evidence = f"{damaged} frames had a bad checksum (FCS)"
    return Cause(Stage.MAC, "frames arrive damaged", Confidence.CERTAIN, damaged, (evidence,), (advice,))


def length(seen: Evidence) -> Optional[Cause]:
    wrong = seen.count(Counter.ERROR_LENGTH)
    if not wrong:
        return None
    advice = "Bring the peer's MTU and this NIC's together; XDP bounds the MTU ('wirespeed profile explain')."
    evidence = f"{wrong} frames were longer or shorter than the NIC takes"
    return Cause(Stage.MAC, "frames of a wrong length arrive", Confidence.CERTAIN, wrong, (evidence,), (advice,))


def pcie(seen: Evidence) -> Optional[Cause]:
    link = seen.pcie
    if not seen.lost or link is None or hot_cpu(seen) is not None:
        return None
    signs = tuple(_bus_signs(link))
    if not signs:
        return None
    return Cause(
        Stage.PCIE,
        "the NIC cannot bring frames to memory fast enough",
        Confidence.LIKELY if seen.count(Counter.NIC_DROP) else Confidence.POSSIBLE,
        seen.lost,
        (*losses(seen), *signs, idle_words(seen)),
        ("Put it into a slot with its full width and speed; look at 'lspci -vv' LnkSta and at the BIOS.",),
    )


def _bus_signs(link: Pcie) -> Iterator[str]:
    if link.narrowed:
        yield f"its link runs at {link.speed:g} GT/s x{link.width} of {link.max_speed:g} GT/s x{link.max_width}"
    if link.stalled:
        yield f"writes to memory waited for the bus in {link.stalled} seconds of the window"
    if link.errors:
        yield f"it reported {link.errors} errors of its link, corrected ones too (aer_dev_* in sysfs)"


def pause(seen: Evidence) -> Optional[Cause]:
    if seen.pause is None or not seen.pause.sent:
        return None
    hot = hot_cpu(seen)
    return Cause(
        Stage.FLOW_CONTROL,
        "the NIC asked its peer to wait: this host is too slow, and what is lost is lost before it",
        Confidence.CERTAIN,
        0,
        (f"{seen.pause.sent} pause frames were sent", idle_words(seen) if hot is None else cpu_words(seen, hot)),
        (
            "Cure it as a loss: more CPUs, a cheaper program, larger rings. The peer's counters tell what it dropped.",
            "To have the losses counted here, switch the sending of pause frames off (pause: tx: false).",
        ),
    )


def paused(seen: Evidence) -> Optional[Cause]:
    if seen.pause is None or not seen.pause.received:
        return None
    return Cause(
        Stage.FLOW_CONTROL,
        "the peer asked this NIC to wait: what it forwards or sends piles up",
        Confidence.POSSIBLE,
        0,
        (f"{seen.pause.received} pause frames were received",),
        ("Look at the peer; or take no pause frames from it (pause: rx: false).",),
    )
