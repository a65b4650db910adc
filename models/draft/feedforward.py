"""Painting without optimising: the packaged draft network, any photo, any style picture.

    draft = FeedForward.load(device="cpu")
    code = draft.style_code(style, brush=1.5)   # once per style, keep it
    code = mixed([code, other], [2, 1])                                    # several styles
    painting = draft.paint(photo, code, share=0.7)

Photos and styles are tensors (1, 3, H, W), RGB, 0-1, with sides of 16 px and more; paintings have
the photo's shape. Everything runs on the device given to `load`, without gradients, and is the same
every time.

The network passes over a thumbnail of the photo first, then over twice the size, and so on up to
the photo itself (`coarse_to_fine`); `one_pass` and `network` say how a pass works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.devices.placement import placed
from models.draft.coarse_to_fine import coarse_to_fine, passes_for
from models.draft.color_transfer import recolored
from models.draft.model import DraftModel
from models.draft.network import encoded
from models.draft.one_pass import OnePassPainter
from models.draft.packaged import (
    code_key,
    load_draft_encoder,
    load_draft_model,
    load_preset_codes,
)
from models.draft.shot import Shot
from models.draft.style_code import STYLE_LAYERS, Moments, layer_moments
from models.encoders import MIN_SIDE_PX, Encoder
from models.face_mask import FaceMask
from models.tensors.images import blurred, image_size, scaled
from models.tensors.noise import seeded
from models.weight_files import PACKAGED

STYLE_SIDE_PX = 384
"""Long side at which a style picture is looked at with brush 1."""
WHOLE_PIXELS = 2048 * 2048
"""Larger photos are painted in tiles of about this size (some 0.6 GB)."""

_FACE_DETAIL = 0.9
"""How much of a face's fine detail the photo gives."""
_MIN_STYLE_PX, _MAX_STYLE_PX = 64, 1536
_PHOTO_CODE_PX = 256


def mixed(codes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The code (1, code_length) of several styles at once; `weights` are positive, one for each.

    Raises ValueError if they are not.
    """
    shares = torch.tensor(weights, device=codes[0].device, dtype=codes[0].dtype)
    if len(codes) != len(weights) or not bool((shares > 0).all()):
        raise ValueError("every style needs a positive weight")
    return ((shares / shares.sum())[:, None] * torch.cat(list(codes))).sum(0, keepdim=True)


class FeedForward:
    """The draft network with what it needs around it; see the module's docstring."""

    def __init__(
        self,
        model: DraftModel,
        encoder: Encoder,
        *,
        preset_codes: Mapping[str, Tensor] | None = None,
        whole_pixels: int = WHOLE_PIXELS,
        half: bool | None = None,
    ) -> None:
        """`preset_codes`: tuned codes (1, code_length) by `packaged.code_key`.

        `whole_pixels` and `half`: see `one_pass.OnePassPainter`.
        """
        self._model = model.eval()
        self._encoder = encoder.eval()
        self._preset_codes = dict(preset_codes or {})
        self._painter = OnePassPainter(model, encoder, whole_pixels=whole_pixels, half=half)

    @classmethod
    def load(
        cls,
        *,
        device: torch.device | str = "cpu",
        folder: Path = PACKAGED,
        half: bool | None = None,
    ) -> FeedForward:
        """The packaged network on `device`; `half` as in `OnePassPainter`.

        Raises `WeightsError` if weights are missing, damaged or of another version.
        """
        model, encoder = load_draft_model(folder), load_draft_encoder(folder)
        codes = {key: code.to(device) for key, code in load_preset_codes(folder).items()}
        return cls(placed(model, device), placed(encoder, device), preset_codes=codes, half=half)

    @property
    def device(self) -> torch.device:
        """Where photos, styles and codes belong."""
        return self._encoder.mean.device

    def preset_code(self, picture_sha256: str, brush: float) -> Tensor | None:
        """The tuned code of a packaged style picture; None for other pictures and brushes."""
        return self._preset_codes.get(code_key(picture_sha256, brush))

    @torch.inference_mode()
    def style_code(self, style: Tensor, *, brush: float = 1.0) -> Tensor:
        """The code (1, code_length) of a style picture (1, 3, H, W).

        `brush` is the style's scale relative to the usual: 2 paints with strokes twice as wide.
        Raises ValueError for a picture with a side below `MIN_SIDE_PX`.
        """
        _check(style)
        long_side_px = min(max(STYLE_SIDE_PX * brush, _MIN_STYLE_PX), _MAX_STYLE_PX)
        return self._code_at(style.to(self.device), long_side_px)

    @torch.inference_mode()
    def paint(
        self,
        content: Tensor,
        code: Tensor,
        *,
        share: float = 1,
        seed: int = 0,
        faces: FaceMask | None = None,
        shot: Shot | None = None,
    ) -> Tensor:
        """Paint `content` (1, 3, H, W) in the style of `code`: (1, 3, H, W), RGB, 0-1.

        `share` 0 is the photo itself, exactly; 1 is all the style, more exaggerates its strokes
        but not its colours. `seed` is that of the grain. Where there are `faces`, most of the
        photo's fine detail stays, in the style's colours. A frame of a clip is painted like the
        others of its `shot`. Raises ValueError for a photo with a side below `MIN_SIDE_PX`.
        """
        _check(content)
        content = content.to(self.device)
        if share <= 0:
            return content.clone()
        if share != 1:
            code = self._shared_code(content, code, share, shot)
        painting = self._painted(content, code, seed, faces, shot).clamp_(0, 1)
        # Below a half even the photo's own code would change too much.
        return torch.lerp(content, painting, 2 * share) if share < 0.5 else painting

    @torch.inference_mode()
    def measured_code(self, style: Tensor) -> Tensor:
        """The code (1, code_length) of a style picture (1, 3, H, W) that has its size already."""
        features = encoded(self._encoder, style, STYLE_LAYERS)
        return self._model.code(Moments.of(style), layer_moments(features))

    def _code_at(self, image: Tensor, long_side_px: float) -> Tensor:
        # Halved, a side has to be one that the encoder takes.
        min_side_px = 2 * MIN_SIDE_PX
        return self.measured_code(
            scaled(image, long_side_px, min_side_px=min_side_px, mode="bilinear")
        )

    def _shared_code(
        self, content: Tensor, code: Tensor, share: float, shot: Shot | None
    ) -> Tensor:
        """`share` of a style's code, the remainder being the photo's own."""

        def measure() -> Tensor:
            return self._code_at(content, min(_PHOTO_CODE_PX, max(image_size(content))))

        own = measure() if shot is None else shot.averaged("own code", measure)
        # Statistics beyond the style's own would be no style that anybody chose.
        shares = torch.full_like(code, min(share, 1))
        # The conditioning stays the style's: the decoder was not trained with a photo's own.
        shares[:, self._model.conditioned] = max(share, 1)
        return torch.lerp(own, code, shares)

    def _painted(
        self,
        content: Tensor,
        code: Tensor,
        seed: int,
        faces: FaceMask | None,
        shot: Shot | None,
    ) -> Tensor:
        if shot is None:
            style, colors = self._model.style(code), Moments.of(content)
        else:
            style = shot.made("style", lambda: self._model.style(code))
            colors = shot.averaged("colors", lambda: Moments.of(content))
        photo = recolored(content, colors, style.colors)
        random = seeded(seed)
        painting = coarse_to_fine(
            photo,
            passes_for(image_size(photo)),
            lambda scale: self._painter.paint(scale, style, random, shot),
        )
        if faces is None:
            return painting
        # The network follows light and shade, and makes one blot of an eye and its brow.
        gone = photo.clamp(0, 1) - painting
        return painting + _FACE_DETAIL * faces.mask * (gone - blurred(gone, faces.detail_px))


def _check(image: Tensor) -> None:
    if min(image_size(image)) < MIN_SIDE_PX:
        raise ValueError(f"a picture needs at least {MIN_SIDE_PX} px on each side")
