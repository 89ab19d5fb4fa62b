"""Settings of fine-tuning: what is trained, how long, on what; plain values that a card can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from visanda.errors import InputError
from visanda.models.squares import Crop

Layers = Literal["partial", "frozen", "full", "lora"]
Augment = Literal["photo", "document", "text", "none"]
LAYERS: tuple[Layers, ...] = ("partial", "frozen", "full", "lora")
AUGMENTS: tuple[Augment, ...] = ("photo", "document", "text", "none")
SMALL = "small"  # the network that is trained from scratch
LITE0 = "lite0"  # the one that comes with visanda
FEW = 2000  # pictures
LINGERS = 3  # times the patience, of a network that begins from scratch
WITHOUT_EFFECT = ("workers", "device")  # on what is learnt, but for rounding


@dataclass(frozen=True)
class Settings:
    """How a network is fine-tuned.

    Attributes:
        backbone: ``lite0`` (EfficientNet-Lite0, comes with visanda); ``small`` (a small network for documents, trained
            from scratch; Torres & Cantú 2022); a model of timm or of transformers on the Hugging Face Hub by name
            (``resnet18``, ``facebook/dinov2-small``), or a folder with one.
        layers: which are trained: ``partial`` (the last third, and the head), ``frozen`` (the head only), ``full``, or
            ``lora`` (a small addition to each layer; Hu et al. 2021).
        epochs: how often each picture is seen, at most.
        batch: pictures a step.
        rate: learning rate of the backbone; ``None``: found by trying (Smith 2017); from scratch, 0.002.
        augment: how pictures are varied: ``photo`` (cut, mirrored, other light), ``document`` (turned and moved a
            little, noise, contrast), ``text`` (the same, but not turned), ``none``.
        patience: training stops after so many epochs without a better validation loss; from scratch, after three
            times as many.
        device: ``auto``, ``cpu``, ``cuda`` (all cards), ``cuda:1``, ``mps``.
        seed: of everything that is random.
        side: pixels of the square that the network sees; ``None``: what the backbone was made for.
        precision: ``auto`` (bfloat16 on cards of NVIDIA, else float32) or ``full`` (float32).
        balance: whether rare values weigh more, each value as much as any other.
        refit: whether, once the best epoch is known, the network learns anew for as many epochs from the validation
            set too (Goodfellow et al. 2016, algorithm 7.2); ``None``: with fewer than 2,000 pictures.
        workers: threads that read and vary pictures; ``None``: one a processor.

    Raises:
        InputError: a value that cannot be.
    """

    backbone: str = LITE0
    layers: Layers = "partial"
    epochs: int = 20
    batch: int = 32
    rate: float | None = None
    augment: Augment = "photo"
    patience: int = 5
    device: str = "auto"
    seed: int = 1
    side: int | None = None
    precision: Literal["auto", "full"] = "auto"
    balance: bool = False
    refit: bool | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("layers", LAYERS), ("augment", AUGMENTS), ("precision", ("auto", "full"))):
            if (given := getattr(self, name)) not in allowed:
                raise InputError(f"{name} must be one of {', '.join(allowed)}, not {given!r}")
        for name, least in (("epochs", 1), ("batch", 1), ("patience", 1), ("side", 16), ("workers", 1)):
            if (given := getattr(self, name)) is not None and given < least:
                raise InputError(f"{name} must be at least {least}, not {given}")
        if self.rate is not None and not 0 < self.rate < 1:
            raise InputError(f"rate must lie between 0 and 1, such as 0.0003, not {self.rate}")
        if self.scratch and self.layers in ("frozen", "lora"):
            raise InputError(
                f"the backbone small knows nothing before it is trained, so layers cannot be {self.layers}: choose full"
            )

    @property
    def crop(self) -> Crop:
        """How a picture becomes a square: photos lose their edges, documents their proportions and nothing else."""
        return "squash" if self.augment in ("document", "text") else "square"

    @property
    def scratch(self) -> bool:
        """Whether the network knows nothing before it is trained."""
        return self.backbone == SMALL

    @property
    def waits(self) -> int:
        """Epochs without a better validation loss before it stops: a network that begins from scratch first lingers."""
        return self.patience * (LINGERS if self.scratch else 1)

    @property
    def trained(self) -> Layers:
        """Which layers are trained in the end: all of a network that begins from scratch."""
        return "full" if self.scratch else self.layers

    def refitted(self, pictures: int) -> bool:
        """Whether a network learns from so many pictures once more, from those for validation too."""
        return pictures < FEW if self.refit is None else self.refit

    def that_matter(self) -> dict[str, object]:
        """Those that decide what is learnt: a run that was interrupted goes on only with the same ones."""
        return {name: value for name, value in asdict(self).items() if name not in WITHOUT_EFFECT}
