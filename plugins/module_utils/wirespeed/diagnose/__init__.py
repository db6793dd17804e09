# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lost frames, and why: readings of a window (:mod:`.readings`), rows of a table (:mod:`.causes`), a report."""
