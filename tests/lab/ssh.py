# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH to a node on loopback: one shared connection, a key of the image's own, no host key check."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from .errors import LabError

OPTIONS = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")


@dataclass(frozen=True)
class Remote:
    """`ssh root@127.0.0.1 -p port`; `control` is the socket of the shared connection."""

    port: int
    key: Path
    control: Path

    def command(self, *words: str, program: str = "ssh") -> List[str]:
        flag = "-p" if program == "ssh" else "-P"
        argv = [
            program,
            "-q",
            "-i",
            str(self.key),
            flag,
            str(self.port),
            *OPTIONS,
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "ConnectTimeout=20",
            "-o",
            "ControlMaster=auto",
            "-o",
            f"ControlPath={self.control}",
            "-o",
            "ControlPersist=60",
        ]
        return [*argv, "root@127.0.0.1", *words] if program == "ssh" else [*argv, *words]

    def run(
        self, command: str, *, check: bool = True, timeout: float = 120, feed: Optional[str] = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a shell command as root; `feed` is its standard input. LabError when it fails and `check`."""
        done = subprocess.run(
            self.command(command),
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
            errors="replace",
            input="" if feed is None else feed,
        )
        if check and done.returncode:
            raise LabError(
                f"`{command}` on the node failed with exit code {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-1500:]}"
            )
        return done

    def put(self, local: Path, remote: str) -> None:
        """Copy a file or a directory to the node."""
        done = subprocess.run(
            self.command("-r", str(local), f"root@127.0.0.1:{remote}", program="scp"),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise LabError(f"{local} cannot be copied to {remote} on the node: {done.stderr.strip()}")

    def answers(self, timeout: float = 1.0) -> bool:
        """True when sshd greets. QEMU accepts the connection before the guest listens, so the greeting is the test."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
                connection.settimeout(timeout)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def close(self) -> None:
        """End the shared connection, if there is one."""
        if self.control.exists():
            subprocess.run(
                ["ssh", "-q", "-O", "exit", "-o", f"ControlPath={self.control}", "root@127.0.0.1"],
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
            )
