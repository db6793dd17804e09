#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The Python of a node that is those namespaces.
exec nsenter --target "$(cat "$(dirname "$0")/pid")" --mount --net -- /usr/bin/python3 "$@"
