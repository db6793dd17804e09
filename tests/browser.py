# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser without a window: Chromium over the DevTools protocol on two pipes, so no port and no library.

https://chromedevtools.github.io/devtools-protocol/ names the methods and events that are used here.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

PROGRAM = "chromium"
PATIENCE_SECONDS = 60
_OPTIONS = ("--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-breakpad")
_OPTIONS += ("--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars")
_READS, _WRITES = 3, 4  # the browser's ends of the pipes


class BrowserError(Exception):
    """What the browser answered, or that it did not."""


class Browser:
    def __init__(self, pid: int, inward: int, outward: int) -> None:
        self._pid, self._inward, self._outward = pid, inward, outward
        self._number = 0
        self._unread = b""
        self.events: List[Dict[str, Any]] = []

    def call(self, method: str, session: Optional[str] = None, **words: Any) -> Dict[str, Any]:
        """The result; events that come before it are kept. Raises :class:`BrowserError`."""
        self._number += 1
        message: Dict[str, Any] = {"id": self._number, "method": method, "params": words}
        if session:
            message["sessionId"] = session
        os.write(self._inward, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
            self.events.append(answer)

    def wait_for(self, event: str, session: str) -> Dict[str, Any]:
        """The first event of that name, which may have come already."""
        while True:
            for number, each in enumerate(self.events):
                if each.get("method") == event and each.get("sessionId") == session:
                    return self.events.pop(number)
            self.events.append(self._next())

    def _next(self) -> Dict[str, Any]:
        until = time.monotonic() + PATIENCE_SECONDS
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._outward], [], [], max(0.0, until - time.monotonic()))
            got = os.read(self._outward, 1 << 16) if ready else b""
            if not got:
                raise BrowserError("the browser has ended" if ready else f"no answer in {PATIENCE_SECONDS} s")
            self._unread += got
        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))

    def close(self) -> None:
        with contextlib.suppress(BrowserError, OSError):
            self.call("Browser.close")
        descriptor = os.pidfd_open(self._pid)
        if not select.select([descriptor], [], [], 10)[0]:
            os.killpg(self._pid, signal.SIGKILL)
        os.close(descriptor)
        os.waitpid(self._pid, 0)
        os.close(self._inward)
        os.close(self._outward)


@dataclass
class Page:
    """One page, as it is after it was loaded."""

    browser: Browser
    session: str
    target: str = field(repr=False, default="")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression. Raises :class:`BrowserError` for what it throws."""
        answer = self.browser.call(
            "Runtime.evaluate", self.session, expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            words = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            self.browser.call("Input.dispatchKeyEvent", self.session, **words)

    def picture(self, path: Path) -> None:
        """All of the page as PNG."""
        words = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.browser.call("Page.captureScreenshot", self.session, **words)["data"]))

    def printed(self) -> bytes:
        """As PDF."""
        words = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self.browser.call("Page.printToPDF", self.session, **words)["data"])

    @property
    def complaints(self) -> List[str]:
        """Whatever the browser says of errors: exceptions, the console, refused or failed requests."""
        told = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Network.loadingFailed")
        told += ("Page.javascriptDialogOpening",)
        self.run("0")  # whatever came before it has arrived by then
        return [json.dumps(event) for event in self._events() if event["method"] in told]

    @property
    def requests(self) -> List[str]:
        """The addresses that it has asked for."""
        asked = [event for event in self._events() if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def _events(self) -> List[Dict[str, Any]]:
        return [event for event in self.browser.events if event.get("sessionId") == self.session]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser for as long as the body runs; its profile is its own and goes with it."""
    with tempfile.TemporaryDirectory(prefix="wirespeed-browser-", ignore_cleanup_errors=True) as folder:
        started = _start(Path(folder))
        try:
            yield started
        finally:
            started.close()


def _start(folder: Path) -> Browser:
    theirs_in, inward = map(_away, os.pipe())
    outward, theirs_out = map(_away, os.pipe())
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT, 0o600)
    pid = os.posix_spawnp(
        PROGRAM,
        [PROGRAM, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
        {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs_in, _READS),
            (os.POSIX_SPAWN_DUP2, theirs_out, _WRITES),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setpgroup=0,
    )
    for descriptor in (theirs_in, theirs_out, log):
        os.close(descriptor)
    return Browser(pid, inward, outward)


def _away(descriptor: int) -> int:
    """The same under a number that is neither of the browser's own two."""
    other = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return other


@contextlib.contextmanager
def page(
    of: Browser, path: Path, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True
) -> Iterator[Page]:
    """The file as a page, in a window of this size in CSS pixels, for as long as the body runs."""
    target = of.call("Target.createTarget", url="about:blank")["targetId"]
    session = of.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    window = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    of.call("Emulation.setDeviceMetricsOverride", session, **window)
    of.call("Emulation.setEmulatedMedia", session, features=scheme)
    of.call("Emulation.setScriptExecutionDisabled", session, value=not scripts)
    for domain in ("Page", "Runtime", "Log", "Network"):
        of.call(f"{domain}.enable", session)
    of.call("Page.navigate", session, url=path.resolve().as_uri())
    of.wait_for("Page.loadEventFired", session)
    try:
        yield Page(of, session, target)
    finally:
        of.call("Target.closeTarget", targetId=target)
        of.events = [event for event in of.events if event.get("sessionId") != session]
