# SPDX-License-Identifier: GPL-3.0-or-later
"""Real SSH without a port: sshd in inetd mode, started inside the node by the client's ProxyCommand."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import List

INSIDE = "/etc/ssh/node"
CONFIG = f"""\
HostKey {INSIDE}/host_key
AuthorizedKeysFile {INSIDE}/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
PrintLastLog no
PidFile none
LogLevel ERROR
Subsystem sftp internal-sftp
"""


def prepare(folder: Path, name: str) -> None:
    """Keys of this node's own: ``folder/sshd`` goes into the node, ``client`` and ``known_hosts`` stay here."""
    inside = folder / "sshd"
    inside.mkdir(mode=0o755)
    for key in (inside / "host_key", folder / "client"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"wirespeed test node {name}", "-f", str(key)]
        subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    (inside / "authorized_keys").write_text((folder / "client.pub").read_text())
    (inside / "sshd_config").write_text(CONFIG)
    kind, key_text = (inside / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"{name} {kind} {key_text}\n")


def options(folder: Path, name: str, init: int) -> List[str]:
    """Arguments of ssh that reach the node whose first process has the pid ``init``."""
    proxy = f"nsenter --target {init} --mount --net --pid --uts -- /usr/sbin/sshd -i -f {INSIDE}/sshd_config"
    settings = {
        "ProxyCommand": proxy,
        "HostKeyAlias": name,
        "UserKnownHostsFile": str(folder / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    return ["-F", "none", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
