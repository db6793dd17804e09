# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``ethtool`` Python binding: driver and bus identity, and rings where netlink has none.

Where the binding is not installed, our own ioctls answer the same questions.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

from . import ethtool_ioctl
from .netlink import refusal

_RING_FIELDS = {"rx": "rx_{}", "rx-mini": "rx_mini_{}", "rx-jumbo": "rx_jumbo_{}", "tx": "tx_{}"}


def driver(name: str) -> str:
    """The driver's name, which is its module's name but for a few (``tun`` has no module parent)."""
    binding = _binding()
    if binding is None:
        return ethtool_ioctl.driver_info(name).driver
    try:
        return str(binding.get_module(name))
    except OSError as error:
        raise refusal(f"ethtool get_module {name}", error.errno or 0) from None


def bus(name: str) -> str:
    """The bus address as the driver tells it (``0000:01:00.0``, also for virtio); empty for virtual NICs."""
    binding = _binding()
    if binding is None:
        return ethtool_ioctl.driver_info(name).bus
    try:
        return str(binding.get_businfo(name))
    except OSError as error:
        raise refusal(f"ethtool get_businfo {name}", error.errno or 0) from None


def ring_sizes(name: str) -> Tuple[Mapping[str, int], Mapping[str, int]]:
    """Current and largest ring sizes by key; a key whose maximum is 0 is absent."""
    binding = _binding()
    if binding is None:
        return ethtool_ioctl.ring_sizes(name)
    try:
        raw = binding.get_ringparam(name)
    except OSError as error:
        raise refusal(f"ethtool get_ringparam {name}", error.errno or 0) from None
    maxima = {key: raw[field.format("max_pending")] for key, field in _RING_FIELDS.items()}
    maxima = {key: value for key, value in maxima.items() if value}
    return {key: raw[_RING_FIELDS[key].format("pending")] for key in maxima}, maxima


def set_ring_sizes(name: str, sizes: Mapping[str, int]) -> None:
    binding = _binding()
    if binding is None:
        ethtool_ioctl.set_ring_sizes(name, sizes)
        return
    fields: Dict[str, int] = {_RING_FIELDS[key].format("pending"): value for key, value in sizes.items()}
    try:
        binding.set_ringparam(name, fields)
    except OSError as error:
        raise refusal(f"ethtool set_ringparam {name}", error.errno or 0) from None


def _binding() -> Optional[Any]:
    try:
        import ethtool
    except ImportError:
        return None
    return ethtool
