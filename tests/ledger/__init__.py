# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pipelines and a sender that show whether a reload lost a packet or a connection.

The folder also travels to a virtual machine, beside the engine and without the rest of the tests: what is imported
there (``account``, ``reloads``, ``stack``) needs nothing but ``wirespeed``.
"""
