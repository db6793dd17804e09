# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there and what is wanted to ordered steps. Pure: no kernel, no clock, no files."""
