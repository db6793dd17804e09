# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: brings it to where a rollout begins, and counts what comes past XDP. One JSON request a line.

{"apply": INTENT}        -> {"changed": BOOL} or {"error": TEXT}
{"watch": [NIC, SOURCE]} -> {}               counting of IPv4 frames from SOURCE begins anew
{"escaped": true}        -> {"frames": N}    how many there were
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from wirespeed import engine
from wirespeed.errors import WirespeedError
from wirespeed.gather import gather, site_profiles

HOME = Path("/root/guard")
sys.path.append(str(HOME))

from stack import Stack  # noqa: E402


def apply(intent: Dict[str, Any]) -> Dict[str, Any]:
    bundle = gather(intent["pipelines"], site_profiles([]), HOME)
    try:
        return {"changed": engine.converge(intent, bundle, False)["changed"]}
    except WirespeedError as error:
        return {"error": str(error)}


def main() -> None:
    stack: Optional[Stack] = None
    for line in sys.stdin:
        request = json.loads(line)
        if "apply" in request:
            answer = apply(request["apply"])
        elif "watch" in request:
            if stack is not None:
                stack.__exit__(None, None, None)
            stack, answer = Stack(*request["watch"]), {}
        else:
            assert stack is not None
            answer = {"frames": stack.frames}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
