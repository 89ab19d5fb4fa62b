"""Models of the Hugging Face Hub: where their files are, which exactly those are, and what their card says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visanda.errors import InputError, VisandaError
from visanda.extras import need
from visanda.models.cards import Model

EXTRA = "hub"
WEIGHTS = ("*.safetensors", "*.bin")  # the first kind that is there
FILES = ["*.json", "*.txt", "README.md"]  # and what else belongs to a model


def folder_of(model: str, what: str) -> tuple[Path, str]:
    """Where a model's files are, downloaded if need be, and where they came from.

    Args:
        model: a folder; or a name on the hub, perhaps with ``@revision``.
        what: it is, for errors, such as ``detector``.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        InputError: it cannot be had.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, f"folder {folder.name}"
    hub = need("huggingface_hub", EXTRA)
    name, _, revision = model.partition("@")
    try:
        for weights in WEIGHTS:
            # The commit that was current when it was first asked for holds for all files.
            got = Path(hub.snapshot_download(name, revision=revision or None, allow_patterns=[*FILES, weights]))
            if any(got.glob(weights)):
                break
    except Exception as error:  # of the hub, of its network, of the name: each has its own
        raise InputError(
            f"the {what} {model!r} cannot be had from the Hugging Face Hub: {error}. See that the name is right "
            "and that there is a network, or download it elsewhere (hf download NAME --local-dir FOLDER) and give the "
            "folder"
        ) from error
    return got, f"https://huggingface.co/{name}, revision {got.name}"


def weights_of(folder: Path) -> tuple[str, str]:
    """The names of the files of weights, and the SHA-256 of what is in them, one after another."""
    files = next((found for pattern in WEIGHTS if (found := sorted(folder.glob(pattern)))), [])
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as data:
            while block := data.read(2**20):
                digest.update(block)
    return ", ".join(path.name for path in files), digest.hexdigest()


def card_of(model: str, folder: Path, task: str, source: str, known_limits: str) -> Model:
    """The card of a model of the hub: its files, and what its README.md says in its head (licence, datasets)."""
    said = _front_matter(folder)
    weights, sha256 = weights_of(folder)
    datasets = said.get("datasets") or []
    return Model(
        name=model,
        task=task,
        file=weights,
        sha256=sha256,
        licence=str(said.get("license") or "not stated on its card"),
        source=source,
        trained_on=", ".join(map(str, datasets if isinstance(datasets, list) else [datasets])),
        intended_use="see the model's own card",
        known_limits=f"Not checked by visanda: see the model's own card, and {known_limits}.",
    )


def _front_matter(folder: Path) -> Mapping[str, Any]:
    readme = folder / "README.md"
    if not readme.exists():
        return {}
    try:
        return need("huggingface_hub", EXTRA).metadata_load(readme) or {}
    except (ValueError, VisandaError):
        return {}
