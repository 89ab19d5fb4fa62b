"""Memory: a batch that does not fit is worked off in portions, halved until one does; the result is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from visanda.errors import InputError

T = TypeVar("T")
SIGNS = ("out of memory", "can't allocate memory")  # in the words of torch's allocators


class Portions:
    """How many pictures go through the network at a time.

    Args:
        size: to begin with.
        told: called with what happened when a portion was halved.
    """

    def __init__(self, size: int, told: Callable[[str], None]) -> None:
        self.size, self._told = size, told

    def work(self, number: int, one: Callable[[slice], T], begin: Callable[[], None] = lambda: None) -> list[T]:
        """Work off ``number`` pictures, a portion at a time; all of them again, in smaller ones, if memory runs out.

        Args:
            number: of pictures.
            one: works off those of a slice.
            begin: called before the first of them, each time.

        Raises:
            InputError: not even one picture at a time fits.
        """
        while True:
            begin()
            try:
                return [one(slice(start, start + self.size)) for start in range(0, number, self.size)]
            except (MemoryError, RuntimeError) as error:
                if not _ran_out(error):
                    raise
                if self.size == 1:
                    raise InputError(
                        "memory runs out with a single picture: choose a smaller side or backbone, or train fewer "
                        "layers (layers frozen or partial)"
                    ) from error
            # Here and not above: the error holds on to what it interrupted.
            self.size = (self.size + 1) // 2
            self._told(f"Memory ran out: going on with {self.size} pictures at a time, and the same result")
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def _ran_out(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in SIGNS)
