"""``python -m visanda`` and the command ``visanda``: a line, and no traceback, if stopped while libraries are read."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

STOPPED = 130


def _stopped(number: int, frame: FrameType | None) -> None:
    # At once: a library that is read half would turn an exception into a traceback of its own.
    sys.stderr.write("\nvisanda: stopped before anything was done.\n")
    sys.stderr.flush()
    os._exit(STOPPED)


_before = signal.getsignal(signal.SIGINT)
if _before is signal.default_int_handler:  # not where whoever started it wants interrupts ignored
    signal.signal(signal.SIGINT, _stopped)

from visanda.cli import main  # noqa: E402  (reads all libraries, which takes seconds)

if _before is signal.default_int_handler:
    signal.signal(signal.SIGINT, _before)

if __name__ == "__main__":
    main()
