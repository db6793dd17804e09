# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what a release consists of, from the commit alone: the same commit gives the same bytes (docs/packaging.md)."""
