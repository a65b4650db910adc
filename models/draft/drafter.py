"""The draft of a painting: the packaged network, coarse to fine, style codes remembered."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.draft.feedforward import FeedForward, mixed, picture_key
from models.face_mask import FaceMask
from models.interface import Style
from models.pictures import inspect, open_picture
from models.strength import draft_share
from models.tensors.images import to_tensor
from models.weight_files import PACKAGED, WeightsError

_log = logging.getLogger(__name__)

_REMEMBERED = 256
"""Style codes; an eighth of a megabyte each."""
_STYLE_PX = 1536
"""No style picture is looked at any larger than this."""


class Drafter:
    """The draft network with a memory for style codes."""

    def __init__(self, network: FeedForward) -> None:
        self._network = network
        self._codes: OrderedDict[tuple[str, float], Tensor] = OrderedDict()

    def draft(
        self,
        content: Tensor,
        styles: Sequence[Style],
        *,
        brush: float,
        strength: float,
        seed: int = 0,
        faces: FaceMask | None = None,
    ) -> Tensor:
        """A painting of `content` (1, 3, H, W) in the mixture of `styles`. Raises PictureError."""
        codes = [self._code(style, brush) for style in styles]
        code = mixed(codes, [style.weight for style in styles])
        # A clone made here is a plain tensor; the network's own is of inference mode, and the
        # optimiser could not start from it.
        share = draft_share(strength)
        return self._network.paint(content, code, share=share, seed=seed, faces=faces).clone()

    def _code(self, style: Style, brush: float) -> Tensor:
        inspect(style.picture)
        key = picture_key(style.picture), brush
        if key not in self._codes:
            tuned = self._network.preset_code(style.picture, brush)
            self._codes[key] = self._measured(style, brush) if tuned is None else tuned
        self._codes.move_to_end(key)
        while len(self._codes) > _REMEMBERED:
            self._codes.popitem(last=False)
        return self._codes[key]

    def _measured(self, style: Style, brush: float) -> Tensor:
        picture = open_picture(style.picture, long_side_px=_STYLE_PX)
        return self._network.style_code(to_tensor(picture), brush=brush)


def load_drafter(device: torch.device, *, folder: Path = PACKAGED) -> Drafter | None:
    """The packaged network, or None and one line in the log if its weights can't be used."""
    try:
        return Drafter(FeedForward.load(device=device, folder=folder))
    except WeightsError as error:
        _log.warning("painting without the draft network: %s", error)
        return None
