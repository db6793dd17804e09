# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else sets this host's NICs: one module for each manager, which reads what that manager is told to set."""
