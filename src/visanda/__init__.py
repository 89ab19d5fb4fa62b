"""visanda: images and video as data."""

__version__ = "0.1.0"
