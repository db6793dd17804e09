# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scrubber does, once more in plain Python: from docs/scrubber.md, not from the program.

``judge.Scrubber`` takes a configuration as a document has it and says the verdict of one frame after the other.
"""
