# SPDX-License-Identifier: GPL-3.0-or-later
"""How full the maps of a live pipeline are, what comes and goes in them, and when they will be full."""
