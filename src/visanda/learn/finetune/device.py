"""The device that trains: a graphics card where there is one, and in which precision."""

from __future__ import annotations

import torch

from visanda.errors import InputError


def choose(name: str) -> torch.device:
    """The device called ``name``: auto, cpu, cuda, cuda:1, mps.

    Raises:
        InputError: there is no such device here; says which there are.
    """
    there = available()
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if kind in there))
    if name not in there:
        raise InputError(f"there is no device {name!r} here; there are: {', '.join(there)} (auto takes the fastest)")
    return torch.device(name)


def available() -> list[str]:
    """Names of the devices that torch can use here."""
    cards = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *(["cuda", *cards] if cards else []), *(["mps"] if torch.backends.mps.is_available() else [])]


def described(device: torch.device) -> str:
    """For the card: the kind of device, and the name of a graphics card."""
    if device.type != "cuda":
        return device.type
    number = torch.cuda.device_count() if device.index is None else 1
    return f"{device}: {torch.cuda.get_device_name(device)}" + (f", {number} of them" if number > 1 else "")


def reduced(device: torch.device, precision: str) -> bool:
    """Whether bfloat16 is used where it does no harm."""
    return precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported()
