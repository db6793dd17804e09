# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of this machine, each as a ratio to something well known, measured in turn within one run.

python -m bench            # all;  python -m bench facts rerun   # these
"""
