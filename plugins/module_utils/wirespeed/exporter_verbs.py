# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``exporter`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Tuple

from .engine import require_root
from .errors import BadInput, Place, WirespeedError
from .exporter import exposition
from .exporter.metrics import ENTITIES, QUEUES, WALK
from .exporter.reader import ENTITIES as MOST
from .exporter.reader import Reader, Wanted
from .exporter.server import Access, Server, application
from .gather import BUILT_IN_PROFILES, site_profiles
from .pipeline.pins import Paths
from .profile_verbs import Verb
from .profiles.load import load

OK = 0
LISTEN = "127.0.0.1:9742"
_LOCAL = ("127.0.0.1", "::1", "localhost")
_HIGHEST = 100_000


def add(verbs: Any, verb: Verb) -> None:
    parser = verb(verbs, "exporter", _exporter, "answer Prometheus: NICs, verdicts, maps")
    parser.add_argument("--listen", default=LISTEN, metavar="ADDRESS:PORT", help=f"{LISTEN} if left out")
    parser.add_argument(
        "--web-config", metavar="FILE", help="TLS and passwords, as Prometheus' own exporters take them"
    )
    parser.add_argument("--once", action="store_true", help="print the metrics once, as text, and end")
    with_what_is_read(parser)
    parser.add_argument(
        "--every", type=_seconds, default=1.0, metavar="SECONDS", help="a reading is good for so long; 1 if left out"
    )


def with_what_is_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nic", action="append", default=[], metavar="NIC", help="also this virtual one; repeatable")
    parser.add_argument(QUEUES, action="store_true", help="counters of each queue too")
    parser.add_argument(ENTITIES, action="store_true", help="packets and bytes of each customer and policy too")
    parser.add_argument(
        "--max-entities", type=_entities, default=MOST, metavar="N", help=f"of each pipeline; {MOST} if left out"
    )
    parser.add_argument(WALK, action="store_true", help="look at each entry of maps: what is over, and whose it is")


def _entities(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _HIGHEST:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to {_HIGHEST}")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return seconds


def address(text: str) -> Tuple[str, int]:
    """``127.0.0.1:9742``, ``[::1]:9742``, ``:9742`` for all addresses. Raises :class:`BadInput`."""
    matched = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]*)):([0-9]{1,5})", text)
    if matched is None or int(matched[3]) > 65535:
        remedy = f"Write ADDRESS:PORT, {LISTEN} or [::1]:9742 for instance; :9742 is all addresses."
        raise BadInput(Place("command line"), "--listen", f"{text!r} is no address and port.", remedy)
    return matched[1] or matched[2] or "", int(matched[3])


def reader(options: argparse.Namespace, every: float) -> Reader:
    """As the options of :func:`with_what_is_read` say. Raises :class:`WirespeedError`."""
    require_root()
    profiles = load([BUILT_IN_PROFILES, *site_profiles(options.profiles_path)])
    entities = options.max_entities if options.entities else 0
    wanted = Wanted(tuple(options.nic), options.queues, entities, options.walk, every)
    return Reader(Paths.from_environment(), profiles, wanted)


def _exporter(options: argparse.Namespace) -> int:
    exposition.library()
    where = address(options.listen)
    with closing(reader(options, options.every)) as reading:
        if options.once:
            sys.stdout.buffer.write(exposition.text(reading))
            return OK
        access = Access(Path(options.web_config) if options.web_config else None)
        try:
            server = Server(where, application(reading, access), access)
        except OSError as error:
            remedy = "Choose another address or port with --listen."
            raise WirespeedError(f"Cannot listen on {options.listen}: {error.strerror or error}.", remedy) from error
        with server:
            _serve(server, where[0], access)
    return OK


def _serve(server: Server, host: str, access: Access) -> None:
    """Until a signal asks for the end."""
    config = access.config()
    scheme = "https" if config.context else "http"
    shown = f"[{server.server_name}]" if ":" in server.server_name else server.server_name
    print(f"Metrics are on {scheme}://{shown}:{server.server_port}/metrics", flush=True)
    if host not in _LOCAL and not config.users and not config.context:
        print("note: anybody who reaches this address can read them; see --web-config", file=sys.stderr, flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        # In a thread of its own: shutdown waits for the loop that this handler has interrupted.
        signal.signal(number, lambda *dummy: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.5)
