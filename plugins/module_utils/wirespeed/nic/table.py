# SPDX-License-Identifier: GPL-3.0-or-later
"""All rooms by the setting that they keep."""

from __future__ import annotations

from typing import Mapping

from ..model.settings import Setting
from . import (
    channels,
    coalesce,
    eee,
    features,
    fec,
    host,
    irq_affinity,
    irqbalance,
    mtu,
    napi,
    pause,
    private_flags,
    rfs,
    rings,
    rss,
    rss_fields,
    txqueuelen,
)
from .queue_masks import RPS, XPS
from .room import Room

ROOMS: Mapping[Setting, Room] = {
    Setting.PRIVATE_FLAGS: private_flags,
    Setting.FEATURES: features,
    Setting.MTU: mtu,
    Setting.CHANNELS: channels,
    Setting.RINGS: rings,
    Setting.RSS: rss,
    Setting.RSS_FIELDS: rss_fields,
    Setting.COALESCE: coalesce,
    Setting.PAUSE: pause,
    Setting.FEC: fec,
    Setting.EEE: eee,
    Setting.TXQUEUELEN: txqueuelen,
    Setting.NAPI: napi,
    Setting.IRQBALANCE: irqbalance,
    Setting.IRQ_AFFINITY: irq_affinity,
    Setting.XPS: XPS,
    Setting.RPS: RPS,
    Setting.RFS: rfs,
    Setting.HOST: host,
}
