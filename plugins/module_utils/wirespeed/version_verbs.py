# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``version`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
from typing import Any, Callable, Iterator

from .identity import Identity, identity

OK = 0

Verb = Callable[[Any, str, Any, str], argparse.ArgumentParser]


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    verb(verbs, "version", _version, "which engine this is, with the digests of its files and of each compiled object")


def _version(options: argparse.Namespace) -> int:
    found = identity()
    print(json.dumps(found.to_json(), indent=2) if options.json else "\n".join(_lines(found)))
    return OK


def _lines(found: Identity) -> Iterator[str]:
    yield f"wirespeed {found.version}"
    yield f"  {'engine':16} {'':8} {found.digest}"
    for each in found.objects:
        yield f"  {each.name:16} {each.version or '-':8} {each.digest}"
    if not found.objects:
        yield "  There is no compiled object: 'make bpf' makes them."
