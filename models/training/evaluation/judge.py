"""The judge: works out the figures of `figures` with the real VGG16."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.encoders import Encoder, load_encoder
from models.tensors.gram import gram_matrix
from models.training.evaluation.figures import (
    CONTENT_LAYER,
    GRAM_LAYERS,
    NEIGHBOUR_LAYERS,
    Figures,
    content_kept,
    gram_gap_closed,
    neighbour_distance,
)
from models.training.teachers import VGG16_FILE
from models.weight_files import EncoderName, keep_vgg16, load_vgg16
from models.weights_cache import WeightsError


@dataclass(frozen=True, slots=True)
class Reference:
    """What a painting of one pair is compared with; worked out once for all paintings of it."""

    photo_grams: dict[str, Tensor]
    style_grams: dict[str, Tensor]
    style_features: dict[str, Tensor]
    """At `NEIGHBOUR_LAYERS`, (1, C, H, W) each."""
    photo_distance: float
    photo_content: Tensor


class Judge(nn.Module):
    """Judges paintings by the activations of one encoder."""

    def __init__(self, encoder: Encoder, *, name: EncoderName, remark: str = "") -> None:
        """`name` is the encoder's; `remark` a sentence about it that a reader must know."""
        super().__init__()
        self.encoder = encoder
        self.name = name
        self.remark = remark

    @torch.no_grad()
    def reference(self, photo: Tensor, style: Tensor) -> Reference:
        """Get ready for paintings of `photo` in `style`, (1, 3, H, W; RGB, 0-1) both."""
        photos, styles = self._features(photo), self._features(style)
        style_features = {layer: styles[layer] for layer in NEIGHBOUR_LAYERS}
        return Reference(
            photo_grams=_grams(photos),
            style_grams=_grams(styles),
            style_features=style_features,
            photo_distance=_neighbour_distance(photos, style_features),
            photo_content=photos[CONTENT_LAYER],
        )

    @torch.no_grad()
    def forward(self, reference: Reference, result: Tensor) -> Figures:
        """The figures of `result` (1, 3, H, W; RGB, 0-1), of the size of the reference's photo.

        Raises ZeroDivisionError where photo and style are the same picture: there is no gap.
        """
        results = self._features(result)
        distance = _neighbour_distance(results, reference.style_features)
        return Figures(
            gram_gap_closed(reference.photo_grams, reference.style_grams, _grams(results)),
            1 - distance / reference.photo_distance,
            content_kept(reference.photo_content, results[CONTENT_LAYER]),
        )

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.encoder(image, {*GRAM_LAYERS, *NEIGHBOUR_LAYERS})
        return found


def load_judge(data: Path, cache_dir: Path) -> Judge:
    """A judge on the CPU with VGG16 from `cache_dir`, else from `data`/teacher, else the slim one.

    What `data` holds is kept in `cache_dir` for the next time. Nothing is downloaded; where there
    is no VGG16 the judge's `remark` says so. Raises WeightsError if the slim encoder is damaged.
    """
    try:
        _have_vgg16(data, cache_dir)
        return Judge(load_encoder("vgg16", cache_dir=cache_dir), name="vgg16")
    except WeightsError as error:
        remark = f"Judged by the slim encoder, not comparable with VGG16's figures: {error}"
        return Judge(load_encoder("slim", cache_dir=cache_dir), name="slim", remark=remark)


def _have_vgg16(data: Path, cache_dir: Path) -> None:
    try:
        load_vgg16(cache_dir)
    except WeightsError as missing:
        teacher = data / "teacher" / VGG16_FILE
        if not teacher.is_file():
            raise WeightsError(f"{missing} Nor is there a {teacher}.") from None
        try:
            tensors = load_file(teacher)
        except SafetensorError:
            raise WeightsError(f"{teacher} is no safetensors file.") from None
        keep_vgg16(cache_dir, tensors)


def _grams(features: dict[str, Tensor]) -> dict[str, Tensor]:
    return {layer: gram_matrix(features[layer]) for layer in GRAM_LAYERS}


def _neighbour_distance(features: dict[str, Tensor], style: dict[str, Tensor]) -> float:
    distances = [neighbour_distance(features[layer], style[layer]) for layer in NEIGHBOUR_LAYERS]
    return sum(distances) / len(distances)
