# SPDX-License-Identifier: GPL-3.0-or-later
"""Alert rules, dashboard and the page of metrics, made from the exporter's own table of metrics."""
