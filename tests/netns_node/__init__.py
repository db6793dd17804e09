# SPDX-License-Identifier: GPL-3.0-or-later
"""A node without a virtual machine: namespaces on this kernel, a veth pair as its NIC, and real SSH into it.

python -m tests.netns_node up a          # then: list, ssh a COMMAND, down a
"""
