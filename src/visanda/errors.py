"""The errors a user meets: each says what is wrong, where, and what to do."""

from __future__ import annotations


class VisandaError(Exception):
    """Anything visanda refuses or cannot do; the message is written for the person at the keyboard."""


class CorpusError(VisandaError):
    """The folder of a corpus is missing, damaged, too new, or being written by somebody else."""


class InputError(VisandaError):
    """Something the user gave (a path, a table, a column, an argument) does not fit."""


class MediaError(VisandaError):
    """One picture or video cannot be read; becomes the ``error`` of its row, never the end of a run."""


class DesignError(VisandaError):
    """The statistics asked for are not valid for the data at hand; says why and what would be."""


class MissingExtra(VisandaError):
    """An optional package is not installed; names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'{package} is not installed: pip install "visanda[{extra}]"')


class VisandaWarning(UserWarning):
    """Something a careful reader should know about a result."""
