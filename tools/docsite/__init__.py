# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: the pages of docs/, and a reference made from code and schemas."""
