# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which a playbook says what a node should look like."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  nics:
    description:
      - The NICs that this is about, each chosen by exactly one of O(nics[].name), O(nics[].driver), O(nics[].mac)
        and O(nics[].pci).
      - NICs that no entry names are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the network interface.
        type: str
      driver:
        description:
          - Name of the kernel driver. It chooses every physical NIC of that driver, or none where the node has none.
        type: str
      mac:
        description: The permanent MAC address.
        type: str
      pci:
        description: The PCI address, such as V(0000:01:00.0).
        type: str
      workload:
        description: What most packets meet. Profiles tune by it.
        type: str
        choices:
          drop: Most packets are dropped by the program.
          forward: Most packets are sent out again by the program.
          stack: Most packets go on to the network stack of the node.
        default: drop
      pipeline:
        description:
          - Name of one of O(pipelines), to be attached here.
          - Without it the NIC is tuned and its XDP hook is left alone.
        type: str
      mode:
        description: How the program is attached.
        type: str
        choices:
          auto: In the driver where the driver can, else in the network stack, with a warning.
          native: In the driver, or fail with the reason.
          generic: In the network stack.
        default: auto
      max_disruption:
        description:
          - The worst that traffic may feel while the node is changed. A change that costs more is refused with the
            reason, before anything is changed.
        type: str
        choices:
          none: Nothing at all.
          pause: Rings stand still for a moment.
          reset: Rings are created anew, packets in them are lost.
          bounce: The carrier goes down and up.
          gap: The XDP program is absent for a moment, packets pass unfiltered.
        default: gap
      profile:
        description: Name of the NIC profile to use instead of the one that matches the NIC.
        type: str
      tuning:
        description:
          - Values that go before those of the profile, by setting (V(features), V(mtu), V(channels), V(rings), V(rss))
            and then by key.
        type: dict
      profile_tuning:
        description:
          - Whether the NIC is set to what its profile says. With V(false) only the keys under O(nics[].tuning) are set;
            the limits, the order and the costs that the profile knows hold all the same.
        type: bool
        default: true
      redirect_to:
        description:
          - Names of the NICs into which this NIC's program redirects; only with O(nics[].workload=forward).
          - Most drivers can send redirected frames only while they carry a program. A target without a pipeline of
            its own then gets the built-in V(pass), which lets everything through; it is not tuned unless an entry
            names it. A target that can take no redirected frames is refused, with the reason.
        type: list
        elements: str
      foreign:
        description: What becomes of a program on the XDP hook that someone else attached.
        type: str
        choices:
          refuse: It stays, nothing is changed, and the module fails and says whose it is.
          adopt:
            - It is taken over where it runs, without a moment in which no program does, and then replaced by
              O(nics[].pipeline) like any earlier generation. Until that is unloaded, one can go back to it.
            - What it has in its maps is handed over where a root program can call it and the pipeline has none yet;
              else a warning says why not. The mode stays; where O(nics[].mode) is another, the module fails.
        default: refuse
  pipelines:
    description: The XDP pipelines that O(nics[].pipeline) names.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The pipeline's name, as in its manifest.
        type: str
        required: true
      manifest:
        description:
          - Where the pipeline's manifest is, on the control node. Its object lies beside it.
          - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working
            folder, in this order.
          - A name without C(/) and C(.yml) is one of the pipelines that come with the collection, such as V(scrubber).
            Without this option, O(pipelines[].name) is that name.
        type: str
      tables:
        description:
          - The configuration, by table; each a list of texts, one for each row.
          - A row is a prefix, an address or a port, by the kind of table that the manifest says; a port is in quotes.
            In a table of records it is a mapping of columns.
        type: dict
      constants:
        description: Values for the program's constants, by name.
        type: dict
      attach:
        description: What the NICs of the pipeline carry on their hook.
        type: str
        choices:
          root: A small program that calls the pipeline. A reload is one write for all NICs, and no driver notices.
          direct:
            - The pipeline's program itself, which saves that call. A reload replaces it on each NIC, at the cost that
              the NIC's profile states for a swap.
          auto: V(direct) where such a swap costs nothing on any NIC of the pipeline, else V(root).
        default: root
  profiles_path:
    description:
      - Folders on the control node with NIC profiles of the site's own, which go before those of the collection;
        a later folder goes before an earlier one.
      - A path that is not absolute is looked for as O(pipelines[].manifest) says.
    type: list
    elements: path
    default: []
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The profiles, manifests and compiled objects that the node needs, as JSON, compressed and in Base64, because
        the node has no files of the collection.
    type: str
"""
