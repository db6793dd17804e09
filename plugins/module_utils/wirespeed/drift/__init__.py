# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report: what is not as it should be, of one host or of a fleet; as JSON, as a page and as lines. Pure but
for :mod:`.written`."""
