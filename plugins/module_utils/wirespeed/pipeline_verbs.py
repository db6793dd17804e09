# SPDX-License-Identifier: GPL-3.0-or-later
"""The group ``pipeline`` of the command line."""

from __future__ import annotations

from typing import Any

from . import author_verbs, instance_verbs
from .profile_verbs import Verb


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verbs.add_parser("pipeline", help="pipelines: their manifests, and those that are on this node")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    author_verbs.add(actions, verb)
    instance_verbs.add(actions, verb)
