# SPDX-License-Identifier: GPL-3.0-or-later
"""A live view of what the exporter tells: rates of NICs, queues, verdicts, maps and entities, for a terminal."""
