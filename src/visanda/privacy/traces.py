"""What a file of a picture or video tells besides its pictures and sound: where, when, by whom and with what."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
from PIL.ExifTags import IFD

from visanda.errors import MediaError
from visanda.media import read_file
from visanda.media.exif import read_exif
from visanda.media.formats import open_header
from visanda.privacy.film import ENCODER

_JPEG = {  # segments by marker and first bytes
    0xE1: ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/xap/", "XMP"), (b"http://ns.adobe.com/xmp/", "XMP")),
    0xE2: ((b"ICC_PROFILE", "colour profile"), (b"MPF\0", "more pictures")),
    0xED: ((b"Photoshop", "IPTC"),),
    0xFE: ((b"", "comment"),),
}
_PNG = {
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
    b"eXIf": "EXIF",
    b"tIME": "time",
    b"iCCP": "colour profile",
}
_PNG_PLAIN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
_WEBP = {b"EXIF": "EXIF", b"XMP ": "XMP", b"ICCP": "colour profile"}
_WEBP_PLAIN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
# What every writer of these containers says of a file, whatever is in it:
_TECHNICAL = {"major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration", "language"}


def metadata_left(path: str | Path) -> list[str]:
    """What a file tells besides its pixels and its sound, in words, each once; none in what was redacted.

    JPEG, PNG and WebP are read segment by segment, so that nothing is overlooked that Pillow does not show; other
    pictures as Pillow reads them; videos as FFmpeg reads them.

    Args:
        path: a picture or a video.

    Returns:
        Such as ``["EXIF", "GPS", "comment"]``, ``["tag creation_time", "subtitles"]``; ``after the end`` stands for
        bytes that follow the picture, as in motion photos.

    Raises:
        MediaError: it is neither a picture nor a video that can be read.
    """
    data = read_file(path)
    try:
        name, picture = open_header(data)
    except MediaError:
        return _of_video(Path(path))
    read = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp}.get(name)
    exif = read_exif(picture, data)
    found = (
        list(read(data)) if read else [f"tag {key}" for key in picture.info if key in ("comment", "xmp", "photoshop")]
    )
    if not read and exif:
        found.append("EXIF")
    if exif.get_ifd(IFD.GPSInfo):
        found.append("GPS")
    return list(dict.fromkeys(found))


def _tells(key: str, text: str) -> bool:
    """Whether a tag tells anything: that FFmpeg wrote a file, without its version, tells nothing."""
    return key.lower() not in _TECHNICAL and text not in ("Lavf", "Lavc", f"Lavc {ENCODER}")


def _jpeg(data: bytes) -> Iterator[str]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker == 0xDA:
            break
        body = data[at + 4 : at + 2 + length]
        known = [said for start, said in _JPEG.get(marker, ()) if body.startswith(start)]
        if known:
            yield known[0]
        elif marker == 0xE0 and (body.startswith(b"JFXX") or body[12:14] not in (b"", b"\0\0")):
            yield "preview"
        elif 0xE1 <= marker <= 0xEF and not (marker == 0xEE and body.startswith(b"Adobe")):
            yield f"segment APP{marker - 0xE0}"
        at += 2 + length
    # In the pixels' data, FF is followed by 00 or by a restart mark: the first end mark is the picture's.
    end = data.find(b"\xff\xd9", at)
    if end >= 0 and data[end + 2 :].strip(b"\0"):
        yield "after the end"


def _png(data: bytes) -> Iterator[str]:
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind in _PNG:
            yield _PNG[kind]
        elif kind not in _PNG_PLAIN:
            yield f"chunk {kind.decode('latin-1')}"
        at += 12 + length
        if kind == b"IEND":
            break
    if data[at:]:
        yield "after the end"


def _webp(data: bytes) -> Iterator[str]:
    at, end = 12, 8 + struct.unpack("<I", data[4:8])[0]
    while at + 8 <= min(end, len(data)):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        if kind in _WEBP:
            yield _WEBP[kind]
        elif kind not in _WEBP_PLAIN:
            yield f"chunk {kind.decode('latin-1')}"
        at += 8 + length + length % 2
    if data[end + end % 2 :]:
        yield "after the end"


def _of_video(path: Path) -> list[str]:
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            found = [f"tag {key}" for key, text in container.metadata.items() if _tells(key, text)]
            for stream in container.streams:
                found += [f"tag {key}" for key, text in stream.metadata.items() if _tells(key, text)]
                if stream.disposition & av.stream.Disposition.attached_pic:
                    found.append("cover picture")
                elif stream.type not in ("video", "audio"):
                    found.append({"subtitle": "subtitles"}.get(stream.type, f"stream of {stream.type}"))
            if container.chapters():
                found.append("chapters")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path}: neither a picture nor a video that can be read ({error})") from error
    return list(dict.fromkeys(found))
