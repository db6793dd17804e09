#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# In namespaces of its own: a veth pair, a bpffs, and folders for state that are gone with this process. FOLDER/pid says
# that all of it is there.
set -eu
folder=$1
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
ip link add ws0 numrxqueues 2 numtxqueues 2 type veth peer name wire0 numrxqueues 2 numtxqueues 2
ip link set ws0 up
ip link set wire0 up
echo $$ >"$folder/pid.made"
mv "$folder/pid.made" "$folder/pid"
exec sleep 3600
