# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain data that all rooms share. Nothing here touches the node."""
