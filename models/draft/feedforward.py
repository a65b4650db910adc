"""Painting without optimising: the packaged draft network, any photo, any style picture.

    draft = FeedForward.load(device="cpu")
    code = draft.style_code(style, brush=1.5)   # once per style, keep it
    code = mixed([code, other], [2, 1])                                    # several styles
    painting = draft.paint(photo, code, share=0.7)

Pictures are tensors (1, 3, H, W), RGB, 0-1, with sides of 16 px and more; paintings have the
photo's shape. Everything runs on the device given to `load`, without gradients, and is the same
every time.

The network passes over a thumbnail of the photo first, then over twice the size, and so on up to
the photo itself, each time over what it painted before with the photo's next finer detail. So the
thumbnail gets strokes as wide as a hand, and the photo the fine ones; all passes but the last cost
a third of it. (Gatys et al. 2017 go from coarse to fine in the optimisation, Lin et al. 2021 with
a network for each size; ours is one network for all.) `draft_network` says how a pass works.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from models.devices.precision import half_is_quick
from models.draft.color_transfer import recolored
from models.draft.model import DraftModel, DraftStyle, refined
from models.draft.network import (
    CARRIED_LAYERS,
    DRAFT_ENCODER,
    REACH,
    STRIDE,
    Grain,
    draft_encoder,
    encoded,
    halved,
)
from models.draft.style_code import STYLE_LAYERS, Moments
from models.draft.transport import AffineMap
from models.encoders import MIN_SIDE_PX, Encoder
from models.face_mask import FaceMask
from models.tensors.images import blurred, scaled
from models.weight_files import PACKAGED, WeightsError, load_packaged

DRAFT_WEIGHTS = "draft.safetensors"
PRESET_CODES = "preset_codes.safetensors"
STYLE_SIDE_PX = 384
"""Long side at which a style picture is looked at with brush 1."""
WHOLE_PIXELS = 2048 * 2048
"""Larger pictures are painted in tiles of about this size (some 0.6 GB)."""

_COARSEST_PX = 90
"""The first pass is over a thumbnail with a long side of this to twice as much."""
_MARGIN = 8
"""The convolutions' zeros at the borders would show as a frame; so they lie outside the picture."""
_FACE_DETAIL = 0.9
"""How much of a face's fine detail the photo gives."""
_MIN_STYLE_PX, _MAX_STYLE_PX = 64, 1536
_PHOTO_CODE_PX = 256
_WINDOW_PX, _WINDOWS_A_SIDE = 256, 5


def mixed(codes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The code of several styles at once; `weights` are positive, one for each."""
    shares = torch.tensor(weights, device=codes[0].device, dtype=codes[0].dtype)
    if len(codes) != len(weights) or not bool((shares > 0).all()):
        raise ValueError("every style needs a positive weight")
    return ((shares / shares.sum())[:, None] * torch.cat(list(codes))).sum(0, keepdim=True)


def picture_key(path: Path) -> str:
    """What preset codes are filed under: the SHA-256 of the style picture's file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def code_key(path: Path, brush: float) -> str:
    """What a preset's tuned code is filed under: its picture, at the brush it was tuned for."""
    return f"{picture_key(path)}@{brush:g}"


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
        """`preset_codes`: tuned codes (1, code_length) by `code_key`.

        `half`: convolve in bfloat16; left open, where the processor does that in hardware.
        """
        self._model = model.eval()
        self._encoder = encoder.eval()
        self._preset_codes = dict(preset_codes or {})
        self._whole_pixels = whole_pixels
        self._half = half_is_quick(self.device) if half is None else half

    @classmethod
    def load(cls, *, device: torch.device | str = "cpu", folder: Path = PACKAGED) -> FeedForward:
        """The packaged network on `device`.

        Raises `WeightsError` if weights are missing, damaged or of another version.
        """
        model, encoder = DraftModel(), draft_encoder()
        load_into(model, DRAFT_WEIGHTS, folder)
        encoder.load_convolutions(load_packaged(DRAFT_ENCODER, folder=folder))
        codes = load_packaged(PRESET_CODES, folder=folder)
        for network in (model, encoder):
            network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(
            model,
            encoder,
            preset_codes={key: code.float().to(device) for key, code in codes.items()},
        )

    @property
    def device(self) -> torch.device:
        """Where pictures and codes belong."""
        return self._encoder.mean.device

    def preset_code(self, path: Path, brush: float) -> Tensor | None:
        """The tuned code of a packaged style picture; None for other files and brushes."""
        return self._preset_codes.get(code_key(path, brush))

    @torch.inference_mode()
    def style_code(self, style: Tensor, *, brush: float = 1.0) -> Tensor:
        """The code (1, code_length) of a style picture (1, 3, H, W).

        `brush` is the style's scale relative to the usual: 2 paints with strokes twice as wide.
        Raises ValueError for a picture with a side below `MIN_SIDE_PX`.
        """
        _check(style)
        long_side = min(max(STYLE_SIDE_PX * brush, _MIN_STYLE_PX), _MAX_STYLE_PX)
        return self._code_at(style.to(self.device), long_side)

    @torch.inference_mode()
    def paint(
        self,
        content: Tensor,
        code: Tensor,
        *,
        share: float = 1,
        seed: int = 0,
        faces: FaceMask | None = None,
    ) -> Tensor:
        """Paint `content` (1, 3, H, W) in the style of `code`: (1, 3, H, W), RGB, 0-1.

        `share` 0 is the photo itself, exactly; 1 is all the style, more exaggerates its hand but
        not its colours. `seed` is that of the grain. Where there are `faces`, most of the photo's
        fine detail stays, in the style's colours. A large picture is painted in tiles, its
        statistics estimated over all of it, so memory is bounded and no seam shows. Raises
        ValueError for a picture with a side below `MIN_SIDE_PX`.
        """
        _check(content)
        content = content.to(self.device)
        if share <= 0:
            return content.clone()
        if share != 1:
            code = self._shared_code(content, code, share)
        painting = self._painted(content, code, seed, faces).clamp_(0, 1)
        # Below a half even the photo's own code would change too much.
        return torch.lerp(content, painting, 2 * share) if share < 0.5 else painting

    @torch.inference_mode()
    def measured_code(self, style: Tensor) -> Tensor:
        """The code (1, code_length) of a style picture (1, 3, H, W) that has its size already."""
        packed = halved(style).contiguous(memory_format=torch.channels_last)
        layers = self._encoder(packed, STYLE_LAYERS)
        return self._model.code(
            Moments.of(style), {name: Moments.of(maps) for name, maps in layers.items()}
        )

    def _code_at(self, picture: Tensor, long_side: float) -> Tensor:
        # Halved, a side has to be one that the encoder takes.
        return self.measured_code(scaled(picture, long_side, min_side=2 * MIN_SIDE_PX))

    def _shared_code(self, content: Tensor, code: Tensor, share: float) -> Tensor:
        """`share` of a style's code, the remainder being the photo's own."""
        own = self._code_at(content, min(_PHOTO_CODE_PX, max(content.shape[-2:])))
        # Statistics beyond the style's own would be no style that anybody chose.
        shares = torch.full_like(code, min(share, 1))
        # The decoder's hand stays the style's: what a photo's own would be, nobody taught it.
        shares[:, self._model.conditioned] = max(share, 1)
        return torch.lerp(own, code, shares)

    def _painted(self, content: Tensor, code: Tensor, seed: int, faces: FaceMask | None) -> Tensor:
        style = self._model.style(code)
        moved = recolored(content, Moments.of(content), style.colors)
        painting = self._coarse_to_fine(moved, style, torch.Generator().manual_seed(seed))
        if faces is None:
            return painting
        # The network follows light and shade, and makes one blot of an eye and its brow.
        gone = moved.clamp(0, 1) - painting
        return painting + _FACE_DETAIL * faces.mask * (gone - blurred(gone, faces.detail_px))

    def _coarse_to_fine(self, moved: Tensor, style: DraftStyle, random: torch.Generator) -> Tensor:
        height, width = moved.shape[-2:]
        if max(height, width) >= 2 * _COARSEST_PX and min(height, width) >= 2 * MIN_SIDE_PX:
            small = halved(moved)
            coarse = self._coarse_to_fine(small, style, random).clamp_(0, 1)
            moved = refined(coarse, small, moved)
        return self._one_pass(moved, style, random)

    def _one_pass(self, moved: Tensor, style: DraftStyle, random: torch.Generator) -> Tensor:
        height, width = moved.shape[-2:]
        whole = _padded(moved)
        grain = Grain.under(whole, random)
        if height * width <= self._whole_pixels:
            features = self._encoded(whole)
            maps = self._maps([features], style)
            with self._precision():
                painting = self._model.painted(whole, features, maps, grain, style)
        else:
            painting = self._painted_in_tiles(whole, grain, style)
        return painting[..., _MARGIN : _MARGIN + height, _MARGIN : _MARGIN + width]

    def _painted_in_tiles(self, whole: Tensor, grain: Grain, style: DraftStyle) -> Tensor:
        maps = self._maps((self._encoded(window) for window in _windows(whole)), style)
        painting = torch.empty_like(whole)
        side = max(STRIDE, int(self._whole_pixels**0.5) // STRIDE * STRIDE - 2 * REACH)
        for rows, seen_rows in _spans(whole.shape[-2], side):
            for columns, seen_columns in _spans(whole.shape[-1], side):
                tile = whole[..., seen_rows, seen_columns]
                below = grain.part(seen_rows, seen_columns)
                with self._precision():
                    features = encoded(self._encoder, tile)
                    painted = self._model.painted(tile, features, maps, below, style)
                top, left = rows.start - seen_rows.start, columns.start - seen_columns.start
                size = rows.stop - rows.start, columns.stop - columns.start
                core = painted[..., top : top + size[0], left : left + size[1]]
                painting[..., rows, columns] = core
        return painting

    def _encoded(self, pictures: Tensor) -> dict[str, Tensor]:
        with self._precision():
            return encoded(self._encoder, pictures)

    def _precision(self) -> torch.autocast:
        """For convolutions alone: moments and what follows from them need single precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._half)

    def _maps(self, parts: Iterable[dict[str, Tensor]], style: DraftStyle) -> dict[str, AffineMap]:
        """What moves the features of a picture to the style's; it is given whole or in parts."""
        measured = [{name: Moments.of(maps) for name, maps in part.items()} for part in parts]
        have = {
            name: Moments(
                torch.cat([part[name].mean for part in measured]).mean(0, keepdim=True),
                torch.cat([part[name].product for part in measured]).mean(0, keepdim=True),
            )
            for name in CARRIED_LAYERS
        }
        return self._model.maps(have, style)


def load_into(model: DraftModel, name: str, folder: Path) -> None:
    """Take over packaged weights; raises `models.weight_files.WeightsError`."""
    tensors = load_packaged(name, folder=folder)
    try:
        model.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{name} was made for another version of the network") from error


def _windows(whole: Tensor) -> Iterator[Tensor]:
    """Parts spread evenly over a large picture, to estimate its statistics."""
    for top in _places(whole.shape[-2]):
        for left in _places(whole.shape[-1]):
            yield whole[..., top : top + _WINDOW_PX, left : left + _WINDOW_PX]


def _places(length: int) -> list[int]:
    last = max(0, length - _WINDOW_PX)
    return sorted({round(last * place / (_WINDOWS_A_SIDE - 1)) for place in range(_WINDOWS_A_SIDE)})


def _spans(length: int, side: int) -> Iterator[tuple[slice, slice]]:
    """Parts of a side and what has to be seen to paint them."""
    for start in range(0, length, side):
        stop = min(start + side, length)
        yield slice(start, stop), slice(max(0, start - REACH), min(length, stop + REACH))


def _padded(image: Tensor) -> Tensor:
    """Mirrored beyond its borders by `_MARGIN` and up to the next multiple of `STRIDE`."""
    height, width = image.shape[-2:]
    bottom, right = _MARGIN + -height % STRIDE, _MARGIN + -width % STRIDE
    mode = "reflect" if max(bottom, right) < min(height, width) else "replicate"
    return F.pad(image, (_MARGIN, right, _MARGIN, bottom), mode=mode)


def _check(image: Tensor) -> None:
    if min(image.shape[-2:]) < MIN_SIDE_PX:
        raise ValueError(f"a picture needs at least {MIN_SIDE_PX} px on each side")
