"""Redaction: pictures and videos in which people are not to be recognised, and files that tell nothing else of them."""

from visanda.privacy.hide import hide
from visanda.privacy.listing import Listing, Redaction, clean, how_made
from visanda.privacy.moving import RedactedVideo, redact_video
from visanda.privacy.still import RedactedPicture, redact_picture
from visanda.privacy.traces import metadata_left

__all__ = [
    "Listing",
    "RedactedPicture",
    "RedactedVideo",
    "Redaction",
    "clean",
    "hide",
    "how_made",
    "metadata_left",
    "redact_picture",
    "redact_video",
]
