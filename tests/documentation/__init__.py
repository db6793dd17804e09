# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the pages of the documentation, and does what they say.

What the words behind a fence mean (CONTRIBUTING.md has it for authors):

run        each line that begins with ``$`` is run, in one shell for the page; what is shown is held against what came
hardware   needs what a test has not; only looked at, as ``shown``
shown      (or nothing) the commands that are ours must exist and take these arguments
on="STATE" run there (states.py), and not on a node of the page's own
held="X"   what came in a test, which asks for it by that name (held.py)
title      a file that the page has the reader write; it is written before the next command runs
"""
