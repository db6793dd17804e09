# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``ethtool`` Python binding: driver and bus identity, and rings where netlink has none.

Where the binding is not installed, our own ioctls answer the same questions.
"""

from __future__ import annotations

import errno
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import KernelRefusal
from . import ethtool_ioctl
from .netlink import refusal

_RING_FIELDS = {"rx": "rx_{}", "rx-mini": "rx_mini_{}", "rx-jumbo": "rx_jumbo_{}", "tx": "tx_{}"}
RING_KEYS = frozenset(_RING_FIELDS)


def identity(name: str) -> Tuple[str, str]:
    """The driver's name and the bus address as the driver tells it (``0000:01:00.0``, also for virtio).

    The address is empty for virtual NICs. Raises :class:`~..errors.NotSupported` for the loopback device.
    """
    binding = _binding()
    if binding is None:
        info = ethtool_ioctl.driver_info(name)
        return info.driver, info.bus
    try:
        return str(binding.get_module(name)), str(binding.get_businfo(name))
    except OSError as error:
        raise _refusal("get_module", name, error) from None


def ring_sizes(name: str) -> Tuple[Mapping[str, int], Mapping[str, int]]:
    """Current and largest ring sizes by key; a key whose maximum is 0 is absent."""
    binding = _binding()
    if binding is None:
        return ethtool_ioctl.ring_sizes(name)
    raw = _ringparam(binding, name)
    maxima = {key: raw[field.format("max_pending")] for key, field in _RING_FIELDS.items()}
    maxima = {key: value for key, value in maxima.items() if value}
    return {key: raw[_RING_FIELDS[key].format("pending")] for key in maxima}, maxima


def set_ring_sizes(name: str, sizes: Mapping[str, int]) -> None:
    """What is not given stays."""
    binding = _binding()
    if binding is None:
        ethtool_ioctl.set_ring_sizes(name, sizes)
        return
    raw = _ringparam(binding, name)
    raw.update({_RING_FIELDS[key].format("pending"): value for key, value in sizes.items()})
    try:
        binding.set_ringparam(name, raw)
    except OSError as error:
        raise _refusal("set_ringparam", name, error) from None


def _ringparam(binding: Any, name: str) -> Dict[str, int]:
    try:
        return dict(binding.get_ringparam(name))
    except OSError as error:
        raise _refusal("get_ringparam", name, error) from None


def _refusal(function: str, name: str, error: OSError) -> KernelRefusal:
    return refusal(f"ethtool binding {function} {name}", error.errno or errno.EIO)


def _binding() -> Optional[Any]:
    try:
        import ethtool
    except ImportError:
        return None
    return ethtool
