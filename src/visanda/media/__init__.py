"""Pictures and videos: reading them from files of every kind, changing them, looking at many at once."""

from visanda.media.decode import at_sizes, decode, decode_at, load
from visanda.media.detail import Detail, cut
from visanda.media.files import read_file
from visanda.media.frames import Frame
from visanda.media.header import Header, read_header
from visanda.media.image import Image
from visanda.media.marked import Marked
from visanda.media.save import save
from visanda.media.sheet import contact_sheet, thumbnail
from visanda.media.sound import Sound
from visanda.media.sound import extract as extract_sound
from visanda.media.sound import seconds as seconds_of_sound
from visanda.media.transform import crop, crop_centre, equalise, flip, greyscale, resize, rotate
from visanda.media.video import Damage, Facts, Picker, Still, Video, probe

__all__ = [
    "Damage",
    "Detail",
    "Facts",
    "Frame",
    "Header",
    "Image",
    "Marked",
    "Picker",
    "Sound",
    "Still",
    "Video",
    "at_sizes",
    "contact_sheet",
    "crop",
    "crop_centre",
    "cut",
    "decode",
    "decode_at",
    "equalise",
    "extract_sound",
    "flip",
    "greyscale",
    "load",
    "probe",
    "read_file",
    "read_header",
    "resize",
    "rotate",
    "save",
    "seconds_of_sound",
    "thumbnail",
]
