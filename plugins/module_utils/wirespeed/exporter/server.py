# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers scrapes over HTTP or HTTPS: ``/metrics``, and a page that says so. The formats are the library's own."""

from __future__ import annotations

import socket
import socketserver
import ssl
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from ..errors import WirespeedError
from . import exposition
from .passwords import Passwords
from .reader import Reader
from .web_config import WebConfig, load

AT_ONCE = 16
"""Connections; further ones are closed at once, so that a flood of them costs no threads."""

SECONDS = 10.0
"""In which a request, and a handshake before it, has to be there."""

_PAGE = (
    b"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Wirespeed exporter</title>"
    b"<h1>Wirespeed exporter</h1><p><a href=/metrics>Metrics</a></p></html>\n"
)
_PLAIN, _HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"

Start = Callable[..., Any]
Application = Callable[[Dict[str, Any], Start], Iterable[bytes]]


class Access:
    """The web configuration as it is now. A change that is no good is told, and what was there before stays."""

    def __init__(self, path: Optional[Path]) -> None:
        self._path, self._lock = path, threading.Lock()
        self._config = WebConfig() if path is None else load(path)
        self._passwords = Passwords() if self._config.users else None

    def config(self) -> WebConfig:
        with self._lock:
            if self._path is not None and not self._config.is_current:
                self._renew(self._path)
            return self._config

    def _renew(self, path: Path) -> None:
        try:
            renewed = load(path)
            if renewed.users and self._passwords is None:
                self._passwords = Passwords()
        except WirespeedError as error:
            sys.stderr.write(f"wirespeed exporter: {error} What was there before stays in force.\n")
            return
        self._config = renewed

    def admits(self, header: str) -> bool:
        users = self.config().users
        return not users or (self._passwords is not None and self._passwords.admits(header, users))


def application(reader: Reader, access: Access) -> Application:
    """The WSGI application. Raises :class:`~..errors.MissingPrerequisite`."""
    metrics = exposition.library().make_wsgi_app(exposition.registry(reader))
    pages: Dict[str, Application] = {"/metrics": metrics, "/": _fixed("200 OK", _PAGE, _HTML)}
    missing = _fixed("404 Not Found", b"There is /metrics.\n", _PLAIN)
    wrong = _fixed("405 Method Not Allowed", b"GET or HEAD.\n", _PLAIN, [("Allow", "GET, HEAD")])
    asks = [("WWW-Authenticate", 'Basic realm="wirespeed exporter", charset="UTF-8"')]
    closed = _fixed("401 Unauthorized", b"A user and a password are needed.\n", _PLAIN, asks)

    def answer(environ: Dict[str, Any], start: Start) -> Iterable[bytes]:
        if not access.admits(environ.get("HTTP_AUTHORIZATION", "")):
            return closed(environ, start)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return wrong(environ, start)
        return pages.get(environ["PATH_INFO"], missing)(environ, start)

    return answer


def _fixed(status: str, body: bytes, kind: str, more: Iterable[Tuple[str, str]] = ()) -> Application:
    headers: List[Tuple[str, str]] = [("Content-Type", kind), ("Content-Length", str(len(body))), *more]

    def answer(environ: Dict[str, Any], start: Start) -> Iterable[bytes]:
        start(status, headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    return answer


class _Handler(WSGIRequestHandler):
    server_version, sys_version = "wirespeed", ""
    timeout = SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # pylint: disable=redefined-builtin  # the base's name
        """Prometheus keeps its own record of scrapes."""

    def address_string(self) -> str:
        """Without a question to a name server."""
        return str(self.client_address[0])

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            self.close_connection = True  # the scraper went away


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """Serves until :meth:`shutdown`. Raises OSError from the constructor where the address cannot be had."""

    daemon_threads, block_on_close, request_queue_size, allow_reuse_address = True, False, 64, True

    def __init__(self, address: Tuple[str, int], serve: Application, access: Access) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._access = access
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)
        self.set_app(serve)

    def server_bind(self) -> None:
        """Without a question to a name server for the machine's own name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is here, in the connection's own thread, and not where new ones are taken."""
        context = self._access.config().context
        request.settimeout(SECONDS)
        if context is None:
            super().finish_request(request, client_address)
            return
        with context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a handshake that failed, a scraper that went away
            sys.stderr.write(f"wirespeed exporter: a request of {client_address[0]} failed: {error!r}\n")


ServerHandler.server_software = "wirespeed"
