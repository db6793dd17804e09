# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: the whole of Wirespeed on a small fleet, told in chapters. What it says, it has checked."""
