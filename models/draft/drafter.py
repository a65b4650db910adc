"""The draft of a painting: the packaged network, coarse to fine, style codes remembered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.draft.feedforward import FeedForward, mixed
from models.draft.shot import Shot
from models.face_mask import FaceMask
from models.files import file_sha256
from models.interface import Style
from models.lru_cache import LruCache
from models.pictures.headers import inspect
from models.pictures.reading import open_picture
from models.strength import draft_share
from models.tensors.images import to_tensor
from models.weight_files import PACKAGED
from models.weights_cache import WeightsError

_log = logging.getLogger(__name__)

_REMEMBERED = 256
"""Style codes; an eighth of a megabyte each."""
_STYLE_PX = 1536
"""No style picture is looked at any larger than this."""


class Drafter:
    """The draft network with a memory for style codes."""

    def __init__(self, network: FeedForward) -> None:
        self._network = network
        self._codes = LruCache[tuple[str, float], Tensor](_REMEMBERED)

    def draft(
        self,
        content: Tensor,
        styles: Sequence[Style],
        *,
        brush: float,
        strength: float,
        seed: int = 0,
        faces: FaceMask | None = None,
        shot: Shot | None = None,
    ) -> Tensor:
        """A painting (1, 3, H, W) of `content` (1, 3, H, W) in the mixture of `styles`.

        Options as in `models.interface.StyleOptions`; `shot` for a frame of a clip. Raises
        PictureError for a style picture that can't be used.
        """

        def mixture() -> Tensor:
            codes = [self._code(style, brush) for style in styles]
            return mixed(codes, [style.weight for style in styles])

        code = mixture() if shot is None else shot.made("code", mixture)
        # A clone made here is a plain tensor; the network's own is of inference mode, and the
        # optimiser could not start from it.
        share = draft_share(strength)
        return self._network.paint(
            content, code, share=share, seed=seed, faces=faces, shot=shot
        ).clone()

    def _code(self, style: Style, brush: float) -> Tensor:
        inspect(style.picture)
        key = file_sha256(style.picture), brush
        code = self._codes.get(key)
        if code is None:
            code = self._network.preset_code(*key)
            if code is None:
                code = self._measured(style, brush)
            self._codes.keep(key, code)
        return code

    def _measured(self, style: Style, brush: float) -> Tensor:
        picture = open_picture(style.picture, long_side_px=_STYLE_PX)
        return self._network.style_code(to_tensor(picture), brush=brush)


def load_drafter(
    device: torch.device, *, folder: Path = PACKAGED, half: bool | None = None
) -> Drafter | None:
    """The packaged network, or None and one line in the log if its weights can't be used.

    `half`: see `one_pass.OnePassPainter`.
    """
    try:
        return Drafter(FeedForward.load(device=device, folder=folder, half=half))
    except WeightsError as error:
        _log.warning("painting without the draft network: %s", error)
        return None
