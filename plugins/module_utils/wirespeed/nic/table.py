# SPDX-License-Identifier: GPL-3.0-or-later
"""All rooms by the setting that they keep."""

from __future__ import annotations

from typing import Callable, Dict, Mapping, Sequence

from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from . import (
    channels,
    coalesce,
    eee,
    features,
    fec,
    firmware,
    host,
    irq_affinity,
    irqbalance,
    mtu,
    napi,
    ntuple,
    pause,
    private_flags,
    queue_coalesce,
    rfs,
    rings,
    rss,
    rss_contexts,
    rss_fields,
    sriov,
    txqueuelen,
)
from .devlink_params import DRIVERINIT_PARAMS, PERMANENT_PARAMS, RUNTIME_PARAMS
from .queue_masks import RPS, XPS
from .room import OnDemandRoom, Room

ROOMS: Mapping[Setting, Room] = {
    Setting.SRIOV: sriov,
    Setting.DEVLINK_PERMANENT: PERMANENT_PARAMS,
    Setting.DEVLINK_DRIVERINIT: DRIVERINIT_PARAMS,
    Setting.DEVLINK_RUNTIME: RUNTIME_PARAMS,
    Setting.PRIVATE_FLAGS: private_flags,
    Setting.FEATURES: features,
    Setting.MTU: mtu,
    Setting.CHANNELS: channels,
    Setting.RINGS: rings,
    Setting.RSS: rss,
    Setting.RSS_FIELDS: rss_fields,
    Setting.RSS_CONTEXTS: rss_contexts,
    Setting.NTUPLE: ntuple,
    Setting.COALESCE: coalesce,
    Setting.QUEUE_COALESCE: queue_coalesce,
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

ON_DEMAND: Mapping[Setting, OnDemandRoom] = {Setting.FIRMWARE: firmware}

SETTLE: Mapping[Setting, Callable[[SettingFacts, Values, Mapping[Setting, Values]], Dict[str, Value]]] = {
    **{setting: room.settle for setting, room in ROOMS.items()},
    **{setting: room.settle for setting, room in ON_DEMAND.items()},
}


def read(setting: Setting, port: Port, keys: Sequence[str]) -> SettingFacts:
    """At least ``keys`` of a setting, whichever kind of room it has."""
    return ON_DEMAND[setting].read(port, keys) if setting in ON_DEMAND else ROOMS[setting].read(port)


def write(setting: Setting, port: Port, values: Values) -> None:
    (ON_DEMAND[setting] if setting in ON_DEMAND else ROOMS[setting]).write(port, values)
