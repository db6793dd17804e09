# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 in the middle of an action, at a call that the test chooses or after a time."""

from __future__ import annotations

import os
import select
import signal
import traceback
from typing import Any, Callable, Optional


def killed_in(action: Callable[[], Any], place: Any, name: str, calls: int) -> None:
    """Runs ``action`` in a child that dies by kill -9 at the ``calls``-th call of ``place.name``."""
    child = os.fork()
    if child == 0:
        original, left = getattr(place, name), [calls]

        def fatal(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        setattr(place, name, fatal)
        try:
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def killed_after(action: Callable[[], Any], seconds: Optional[float]) -> bool:
    """Runs ``action`` in a child that dies by kill -9 after ``seconds`` (None: never); whether it died of it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    descriptor = os.pidfd_open(child)
    try:
        select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the action itself failed; see above"
    return os.WIFSIGNALED(status)
