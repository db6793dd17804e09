# SPDX-License-Identifier: GPL-3.0-or-later
"""``config show`` and ``history`` of the command line: what is in the kernel, and how it came there."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Iterable, Iterator, List

from . import config_engine, config_show
from .config import written
from .config_engine import Shown
from .pipeline.delivery import Progress, silent
from .profile_verbs import Verb
from .progress import shown_on
from .whole_file import replacing

OK = 0
_STEP = 1 << 12
"""Rows from one look at the progress to the next."""


def add(actions: Any, verb: Verb) -> None:
    """``actions`` are those of the group ``config``."""
    showing = verb(actions, "show", _show, "read the live configuration back from the kernel, as a document")
    showing.add_argument("pipeline", metavar="PIPELINE")
    showing.add_argument("--table", action="append", metavar="T", help="only this one; repeatable")
    form = showing.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="as a document, which is the default; see -o for a large one")
    form.add_argument("--summary", action="store_true", help="without the rows that are as they were delivered")
    form.add_argument(
        "-o",
        "--output",
        metavar="DOCUMENT",
        help="write the document there, and the rows of each table to a file beside it",
    )
    telling = verb(actions, "history", _history, "what was delivered when, by whom and how, newest first")
    telling.add_argument("pipeline", metavar="PIPELINE")


def _show(options: argparse.Namespace) -> int:
    with shown_on(sys.stderr) as progress:
        found = config_engine.show(options.pipeline, options.table, progress)
    if options.output is not None:
        with shown_on(sys.stderr) as progress:
            files = _document(found, Path(options.output), progress)
        print("\n".join(map(str, files)))
    elif options.summary:
        print(config_show.summary(found))
    elif options.json:
        _print(written.as_json(config_show.standing(found), found.tables, found.codecs), found)
    else:
        print("\n".join(f"# {line}".rstrip() for line in config_show.summary(found).splitlines()))
        _print(written.inline(found.pipeline, found.schema, found.tables, found.codecs), found)
    return OK


def _print(lines: Iterable[str], found: Shown) -> None:
    """On a terminal the rows themselves tell how far it is."""
    with shown_on(sys.stderr) as progress:
        telling = silent if sys.stdout.isatty() else progress
        sys.stdout.writelines(_counted(lines, _rows(found), "writing rows", telling))


def _rows(found: Shown) -> int:
    return sum(packed.count for packed in found.tables.values())


def _counted(lines: Iterable[str], of: int, what: str, progress: Progress) -> Iterator[str]:
    """``of`` rows, of which each is a line; the few lines besides do not count."""
    for number, line in enumerate(lines):
        if number % _STEP == 0:
            progress(min(number, of), of, what)
        yield line


def _document(found: Shown, path: Path, progress: Progress) -> List[Path]:
    """The files that were written; the document is the last, so that none is there without its rows."""
    made, names = [], {}
    for name, packed in found.tables.items():
        table = found.codecs[name]
        file = path.with_name(f"{path.stem}.{name}{written.suffix(table)}")
        _write(file, _counted(written.rows(table, packed), packed.count, f"writing {file.name}", progress))
        names[name] = file.name
        made.append(file)
    _write(path, written.with_files(found.pipeline, found.schema, names))
    return [*made, path]


def _write(path: Path, lines: Iterable[str]) -> None:
    with replacing(path) as file:
        file.writelines(line.encode() for line in lines)


def _history(options: argparse.Namespace) -> int:
    found = config_engine.history(options.pipeline)
    data = config_show.told(found)
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else config_show.history(found))
    return OK
