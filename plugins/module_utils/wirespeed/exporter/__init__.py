# SPDX-License-Identifier: GPL-3.0-or-later
"""What this node does, for Prometheus: the metrics, and the server that answers scrapes."""
