"""Pictures: reading them from files of every kind, changing them, looking at many at once."""

from visanda.media.decode import decode, decode_at, load
from visanda.media.files import read_file
from visanda.media.frames import Frame
from visanda.media.header import Header, read_header
from visanda.media.image import Image
from visanda.media.save import save
from visanda.media.sheet import contact_sheet, thumbnail
from visanda.media.sound import Sound
from visanda.media.transform import crop, crop_centre, equalise, flip, greyscale, resize, rotate
from visanda.media.video import Facts, Video

__all__ = [
    "Facts",
    "Frame",
    "Header",
    "Image",
    "Sound",
    "Video",
    "contact_sheet",
    "crop",
    "crop_centre",
    "decode",
    "decode_at",
    "equalise",
    "flip",
    "greyscale",
    "load",
    "read_file",
    "read_header",
    "resize",
    "rotate",
    "save",
    "thumbnail",
]
