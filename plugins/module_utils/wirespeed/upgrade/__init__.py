# SPDX-License-Identifier: GPL-3.0-or-later
"""What another kernel changes for a node's NICs and pipelines: foretold before the reboot, compared after it."""
