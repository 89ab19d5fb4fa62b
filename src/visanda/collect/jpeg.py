"""Whether a JPEG is all there, told without decoding it."""

from __future__ import annotations

import re

# A marker that means something between segments or ends a scan: not stuffing, fill bytes or restarts.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def is_whole(data: bytes) -> bool:
    """Whether the end-of-image marker follows a scan; thumbnails inside segments have their own and are skipped.

    What stands behind the end (a camera's second picture, a video, padding) does not matter.
    """
    at, scanned = 2, False
    while found := _MARKER.search(data, at):
        if found[1] == b"\xd9":
            return scanned
        scanned = scanned or found[1] == b"\xda"
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False
