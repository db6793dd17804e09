# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and constants that follow from the node, so that one object runs on a test machine and on a big server.

``max_entries: "{{ [node.ram_gib * 65536, 4194304] | min }}"``; the language is :mod:`..expression`'s, its names are

============================ =====================================================================================
``node.cpus``                possible CPUs: as many values as a per-CPU map holds for each key
``node.cpus_online``         CPUs that run
``node.ram_gib``             memory, rounded to whole GiB (at least 1), so that a new kernel that keeps some MiB more
                             for itself does not change a size and with it the generation
``node.ram_mib``             memory that the kernel has to give, to the MiB
``node.kernel``              compares with a text: ``node.kernel >= '6.6'``
``node.nics``                how many NICs carry this pipeline (at least 1)
============================ =====================================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Mapping

from ..errors import BadInput, Place
from ..expression import evaluate, is_expression
from ..model.node import Node
from ..namespace import KernelVersion, View
from .manifest import Constant, Manifest
from .map_spec import MapSpec

_MIB_PER_GIB = 1024
LARGEST = 2**32 - 1


def names(node: Node, nics: int) -> View:
    return View(
        "",
        {
            "node": {
                "cpus": node.cpus,
                "cpus_online": node.cpus_online,
                "ram_gib": max(1, round(node.ram_mib / _MIB_PER_GIB)),
                "ram_mib": node.ram_mib,
                "kernel": KernelVersion(node.kernel),
                "nics": max(1, nics),
            }
        },
    )


def open_expressions(manifest: Manifest) -> Dict[str, str]:
    """What is not evaluated yet: field -> text."""
    sizes = {f"maps.{name}.max_entries": spec.max_entries for name, spec in manifest.maps.items()}
    values: Dict[str, Any] = {**sizes, **{f"constants.{name}": value for name, value in manifest.constants.items()}}
    return {field: value for field, value in values.items() if is_expression(value)}


def evaluated(manifest: Manifest, known: Mapping[str, Any], place: Place) -> Manifest:
    """The manifest with numbers where it had expressions. Raises :class:`BadInput` naming the field."""
    if not open_expressions(manifest):
        return manifest
    maps = {name: _sized(name, spec, known, place) for name, spec in manifest.maps.items()}
    constants: Dict[str, Constant] = {
        name: evaluate(value, known, place, f"constants.{name}") for name, value in manifest.constants.items()
    }
    return replace(manifest, maps=maps, constants=constants)


def _sized(name: str, spec: MapSpec, known: Mapping[str, Any], place: Place) -> MapSpec:
    field = f"maps.{name}.max_entries"
    size = evaluate(spec.max_entries, known, place, field)
    if size is None or (isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= LARGEST):
        return replace(spec, max_entries=size)
    raise BadInput(
        place, field, f"{spec.max_entries!r} gives {size!r} on this node.", f"A size is a whole number, 1 to {LARGEST}."
    )
