# SPDX-License-Identifier: GPL-3.0-or-later
"""The only room that changes a node: under a lock, behind a journal, each step read back."""
