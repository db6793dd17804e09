# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as sizes and constants of manifests see it."""

from __future__ import annotations

from wirespeed.model.node import Kernel, Node
from wirespeed.pipeline import sizes

NODE = Node(
    hostname="edge1",
    kernel=Kernel("6.12.0-1-amd64", (6, 12)),
    boot_id="",
    cpus=8,
    cpus_online=4,
    cpus_by_numa={0: 4},
    ram_mib=16000,
    libbpf="",
    nics={},
)
HERE = sizes.names(NODE, 1)
