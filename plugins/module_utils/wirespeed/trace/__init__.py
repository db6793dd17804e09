# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets with what became of them, for Wireshark."""
