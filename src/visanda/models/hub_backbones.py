"""Backbones of the Hugging Face Hub: networks of timm and of transformers that turn a picture into features."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from visanda.errors import InputError, VisandaError
from visanda.extras import need
from visanda.models.cards import Model
from visanda.models.hub import card_of, folder_of, weights_of

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation, where a model states none
SIDE = 224  # pixels, where a model states none
EXTRAS = {"timm": "train", "transformers": "hub"}  # which of visanda's extras brings which package
FORMATS = (
    "It must be a network for pictures in the format of timm or of transformers (such as ResNet, ViT, DINOv2, CLIP)"
)


@dataclass(frozen=True, eq=False)
class HubBackbone:
    """A loaded network.

    Attributes:
        card: what exactly was loaded.
        network: torch's module, of timm (gives features) or transformers (gives what `pooled` reads).
        package: that it is of.
        whole: whether its pooled output was trained; if not, `pooled` takes another.
        width: how many features it gives a picture.
        side: pixels of the square that it was made for.
        mean: of each channel, 0 to 1, that is taken off.
        deviation: of each channel, that the rest is divided by.
    """

    card: Model
    network: Any
    package: Literal["timm", "transformers"]
    whole: bool
    width: int
    side: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def features(self, network: Any, pixels: Any) -> Any:
        """Features (n, width) of normalised pixels (n, 3, S, S), by the network or a copy of it."""
        if self.package == "timm":
            return network(pixels)
        return pooled(network(pixel_values=pixels), self.whole)

    def normalised(self, squares: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 → (n, 3, S, S) float32."""
        mean, deviation = (np.asarray(one, np.float32) for one in (self.mean, self.deviation))
        scaled = (squares.astype(np.float32) / 255 - mean) / deviation
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def pooled(outputs: Any, whole: bool = True) -> Any:
    """The features in what a network of transformers gives.

    They are its pooled output where it has one that was trained; else its first token (CLS); else, of a map of
    features, the mean.
    """
    if whole and getattr(outputs, "pooler_output", None) is not None:
        return outputs.pooler_output.flatten(1)
    last = outputs.last_hidden_state
    return last[:, 0] if last.ndim == 3 else last.flatten(2).mean(2)


def backbone(model: str) -> HubBackbone:
    """Load a backbone.

    Args:
        model: a folder with a model of timm or of transformers; a name of timm (``resnet18``,
            ``timm/resnet18.a1_in1k``); a name on the hub (``facebook/dinov2-small``), perhaps with ``@revision``.

    Raises:
        MissingExtra: torch, timm or transformers is not installed.
        InputError: it cannot be had, or is no such network.
    """
    need("torch", "train")
    folder, source = folder_of(_on_the_hub(model), "backbone")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        if "architecture" in config and "model_type" not in config:
            return _of_timm(model, folder, source, config)
        return _of_transformers(model, folder, source)
    except VisandaError:
        raise
    except Exception as error:  # a missing file, another format, a network of another kind: each has its own
        raise InputError(f"the backbone {model!r} cannot be loaded: {error}. {FORMATS}") from error


def _on_the_hub(model: str) -> str:
    """The name on the hub of a model that timm knows by a short one."""
    name = model.removeprefix("timm/")
    if Path(model).expanduser().is_dir() or "/" in name:
        return model
    timm = need("timm", EXTRAS["timm"])
    short = name.partition("@")[0]
    if not timm.is_model(short):
        close = timm.list_models(f"*{short}*")[:3]
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise InputError(f"there is no backbone {model!r}: {hint}{FORMATS}, by name or as a folder; or lite0, or small")
    known = timm.get_pretrained_cfg(short)
    if known is None or not known.hf_hub_id:
        raise InputError(f"timm has no weights of {short} on the Hugging Face Hub: choose a variant that has some")
    return str(known.hf_hub_id)


def _of_timm(model: str, folder: Path, source: str, config: dict[str, Any]) -> HubBackbone:
    timm, torch = need("timm", EXTRAS["timm"]), need("torch", "train")
    stated = config.get("pretrained_cfg", {})
    weights = folder / weights_of(folder)[0].partition(", ")[0]
    arguments = {name: value for name, value in config.get("model_args", {}).items() if name != "num_classes"}
    network = timm.create_model(
        config["architecture"],
        pretrained=True,
        num_classes=0,
        pretrained_cfg_overlay={**stated, "file": str(weights), "source": "file"},
        **arguments,
    ).eval()
    data = timm.data.resolve_model_data_config(network)
    return HubBackbone(
        card=_card(
            model, config["architecture"], folder, source, f"timm {timm.__version__}, torch {torch.__version__}"
        ),
        network=network,
        package="timm",
        whole=True,
        width=int(network.num_features if not hasattr(network, "head_hidden_size") else network.head_hidden_size),
        side=int(data["input_size"][-1]),
        mean=tuple(data["mean"]),
        deviation=tuple(data["std"]),
    )


def _of_transformers(model: str, folder: Path, source: str) -> HubBackbone:
    torch, transformers = need("torch", "train"), need("transformers", EXTRAS["transformers"])
    # Written out, attention becomes plain operations of ONNX.
    network, loading = transformers.AutoModel.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    network = getattr(network, "vision_model", network).eval()  # of CLIP and SigLIP, the half that sees
    missing = [name for name in loading["missing_keys"] if "pooler" not in name]
    if missing:
        raise InputError(
            f"{len(missing)} parts of {model} are not in its file ({sorted(missing)[0]}, ...): it would be filled with "
            "random numbers"
        )
    whole = not any("pooler" in name for name in loading["missing_keys"])
    side, mean, deviation = _stated(folder, network.config)
    with torch.inference_mode():
        width = int(pooled(network(pixel_values=torch.zeros(1, 3, side, side)), whole).shape[1])
    ran = f"transformers {transformers.__version__}, torch {torch.__version__}"
    card = _card(model, network.config.model_type, folder, source, ran)
    return HubBackbone(card, network, "transformers", whole, width, side, mean, deviation)


def _stated(folder: Path, config: Any) -> tuple[int, tuple[float, ...], tuple[float, ...]]:
    """Side, mean and deviation as the model's file for its preprocessing has them."""
    path = folder / "preprocessor_config.json"
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    size = told.get("crop_size") or told.get("size") or getattr(config, "image_size", None) or SIDE
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or SIDE
    if isinstance(size, list | tuple):
        size = size[0]
    mean, deviation = told.get("image_mean") or IMAGENET[0], told.get("image_std") or IMAGENET[1]
    return int(size), tuple(mean), tuple(deviation)


def _card(model: str, kind: str, folder: Path, source: str, ran: str) -> Model:
    task = f"features of a picture ({kind})"
    return card_of(model, folder, task, f"{source}; run by {ran}", "validate what you train on its features")
