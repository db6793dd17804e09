# SPDX-License-Identifier: GPL-3.0-or-later
"""``config diff``, ``apply`` and ``rollback`` of the command line: a document and the pipeline that runs here."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Mapping, Optional

from . import config_engine, config_show
from .config import bundle as bundles
from .config import document as documents
from .config.compiled import Compiled
from .config.strategy import Strategy
from .engine import require_root
from .errors import BadInput
from .gather import compiled
from .pipeline.delivery import Progress
from .profile_verbs import Verb
from .progress import shown_on

OK, DIFFERS = 0, 2


def add(actions: Any, verb: Verb) -> None:
    """``actions`` are those of the group ``config``."""
    _with_document(verb(actions, "diff", _diff, "what a delivery would change in the kernel; exit code 2 if anything"))
    applying = _with_document(verb(actions, "apply", _apply, "deliver a document: all of it is live, or nothing"))
    _delivering(applying)
    going = verb(actions, "rollback", _rollback, "deliver the rows of an earlier version again")
    going.add_argument("pipeline", metavar="PIPELINE")
    going.add_argument("--to", type=int, metavar="VERSION", help="else to the rows before the live ones")
    _delivering(going)


def _with_document(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("document", metavar="DOCUMENT|BUNDLE", help="a YAML file, or what 'config compile -o' made")
    parser.add_argument(
        "--manifest",
        metavar="MANIFEST",
        help="compile for this NAME.pipeline.yml, relative to the document; else for the pipeline that runs here",
    )
    return parser


def _delivering(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strategy", choices=[each.value for each in Strategy], default=Strategy.AUTO.value, help="how (auto)"
    )
    parser.add_argument(
        "--expect-version", type=int, metavar="N", help="refuse unless this version is live; 0: none was delivered"
    )
    parser.add_argument("--check", action="store_true", help="only say what it would do; exit code 2 if anything")


def _diff(options: argparse.Namespace) -> int:
    with shown_on(sys.stderr) as progress:
        document = opened(Path(options.document), options.manifest, progress)
        found = config_engine.diff(document.pipeline, document, progress)
    data = config_show.compared(document, found)
    _print(options, data, config_show.comparison(found))
    return DIFFERS if data["changed"] else OK


def _apply(options: argparse.Namespace) -> int:
    with shown_on(sys.stderr) as progress:
        document = opened(Path(options.document), options.manifest, progress)
        asked = Strategy(options.strategy)
        done = config_engine.apply(document.pipeline, document, asked, options.expect_version, options.check, progress)
    return _delivered(options, done)


def _rollback(options: argparse.Namespace) -> int:
    asked = Strategy(options.strategy)
    with shown_on(sys.stderr) as progress:
        done = config_engine.rollback(
            options.pipeline, options.to, asked, options.expect_version, options.check, progress
        )
    return _delivered(options, done)


def opened(path: Path, manifest: Optional[str], progress: Progress) -> Compiled:
    """A bundle, or a document compiled: for the tables of the pipeline that runs here, or for those of ``manifest``.

    Raises :class:`BadInput`.
    """
    require_root()
    if bundles.is_bundle(path):
        return bundles.read(path)
    progress(0, 0, f"compiling {path.name}")
    if manifest is not None:
        return compiled(path, manifest)
    document = documents.read(path)
    try:
        source = config_engine.source(document.pipeline)
    except BadInput as mistake:
        raise BadInput(document.place, "pipeline", mistake.detail, mistake.remedy) from None
    return documents.compile_document(document, source.manifest.name, source.manifest.config, source.tables)


def _delivered(options: argparse.Namespace, done: config_engine.Delivered) -> int:
    _print(options, config_show.delivered(done), config_show.delivery(done, options.check))
    return DIFFERS if options.check and done.changed else OK


def _print(options: argparse.Namespace, data: Mapping[str, Any], text: str) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else text)
