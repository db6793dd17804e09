# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's own Prometheus, unpacked in the cache rather than installed: no service comes to this machine with it."""

from __future__ import annotations

import json
import select
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, List, TypeVar

from tests.lab import cache
from tests.lab.process import run

PACKAGE = "prometheus"
PATIENCE = 60.0
_T = TypeVar("_T")


def unpacked() -> Path:
    """The root of the package's tree, under the name of its version. Raises LabError without Debian's archive."""
    with cache.locked(PACKAGE):
        version = _version() or _renewed()
        target = cache.directory(PACKAGE) / version
        if not target.exists():
            with cache.made_in_place(target) as scratch:
                run("apt-get", "download", "-q", PACKAGE, cwd=scratch)
                (archive,) = scratch.glob("*.deb")
                run("dpkg-deb", "-x", archive, scratch)
                archive.unlink()
        return target


def _version() -> str:
    lines = run("apt-cache", "policy", PACKAGE).splitlines()
    found = [line.split(":", 1)[1].strip() for line in lines if line.strip().startswith("Candidate:")]
    return found[0].replace("/", "_") if found and found[0] != "(none)" else ""


def _renewed() -> str:
    run("apt-get", "update", "-q")
    return _version()


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [str(unpacked() / "usr/bin/promtool"), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


class Prometheus:
    """A server of its own for one test. ``inside`` turns an argument list into one that runs where the test wants;
    ``ask`` calls a function there."""

    PORT = 9090

    def __init__(
        self,
        folder: Path,
        scrape: Dict[str, Any],
        rules: List[Path],
        inside: Callable[[List[str]], List[str]],
        ask: Callable[..., Any],
    ) -> None:
        self._ask = ask
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": "wirespeed", **scrape}],
        }
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(settings))  # JSON is YAML
        argv = [
            str(unpacked() / "usr/bin/prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.PORT}",
        ]
        self._log = (folder / "prometheus.log").open("w")
        self._process = subprocess.Popen(
            inside(argv), stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder
        )

    def __enter__(self) -> "Prometheus":
        self.until(lambda: self.get("/api/v1/status/runtimeinfo"))
        return self

    def __exit__(self, *dummy: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()

    def get(self, path: str, **query: str) -> Any:
        text = urllib.parse.urlencode(query)
        return self._ask(_get, f"http://127.0.0.1:{self.PORT}{path}{'?' if text else ''}{text}")

    def value(self, query: str) -> List[Dict[str, Any]]:
        """An instant query: a list of series, each ``{"metric": labels, "value": [time, text]}``."""
        return list(self.get("/api/v1/query", query=query)["result"])

    def number(self, query: str) -> float:
        """Of a query with one answer."""
        (found,) = self.value(query)
        return float(found["value"][1])

    def scraped_since(self, at: float) -> bool:
        found = self.get("/api/v1/targets")["activeTargets"]
        good = [each for each in found if each["health"] == "up"]
        return bool(good) and all(_seconds(each["lastScrape"]) > at for each in good)

    def until(self, holds: Callable[[], _T]) -> _T:
        """What ``holds`` gave when it was true at last."""
        deadline, last = time.monotonic() + PATIENCE, "nothing"
        while time.monotonic() < deadline:
            try:
                found = holds()
                if found:
                    return found
            except (OSError, ValueError) as error:
                last = str(error)
            select.select([], [], [], 0.1)
        raise AssertionError(
            f"waited {PATIENCE:.0f} s in vain; last: {last}; {Path(self._log.name).read_text()[-2000:]}"
        )


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        data = json.load(answer)
    return data["data"]


def _seconds(text: str) -> float:
    """Of an RFC 3339 time; what is finer than a microsecond is cut off."""
    from datetime import datetime

    whole, dummy, rest = text.rstrip("Z").partition(".")
    digits = rest.split("+")[0].split("-")[0]
    zone = rest[len(digits) :] or "+00:00"
    return datetime.fromisoformat(f"{whole}.{digits[:6].ljust(6, '0')}{zone}").timestamp()
