"""How the draft network does on pairs that training never sees: two figures and a contact sheet."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import torch

from models.draft_model import DraftModel
from models.encoders import Encoder
from models.feedforward import FeedForward
from models.images import to_picture, to_tensor
from models.pictures import open_picture
from models.training.evaluate import contact_sheet, sized, validation_pairs
from models.training.figures import Judge
from models.training.teachers import load_vgg19

PAIRS = 12


class Validation:
    """Fixed pairs of photo and style, and the judge of what is made of them."""

    def __init__(self, data: Path, encoder: Encoder, slim_vgg19: Encoder) -> None:
        """`data` as in `evaluate`; `encoder` is our own, for the style codes."""
        self._encoder = encoder
        self._pairs = validation_pairs(data, PAIRS)
        self._device = encoder.mean.device
        vgg19 = load_vgg19(data).to(self._device)
        self._judge = Judge(vgg19, slim_vgg19)
        self._judge.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def report(self, model: DraftModel, sheet: Path) -> dict[str, float]:
        """The means of both figures; writes the contact sheet to `sheet`."""
        draft = FeedForward(model, self._encoder)
        figures, paintings = [], []
        for pair in self._pairs:
            photo, style = (
                to_tensor(sized(open_picture(path)), self._device)
                for path in (pair.photo, pair.style)
            )
            painting = draft.paint(photo, draft.style_code(style))
            figures.append(self._judge(photo, style, painting))
            paintings.append(to_picture(painting))
        contact_sheet(self._pairs, [paintings]).save(sheet)
        closed, kept = (fmean(column) for column in zip(*figures, strict=True))
        return {"style_gap_closed": round(closed, 4), "content_kept": round(kept, 4)}
