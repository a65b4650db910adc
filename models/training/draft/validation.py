"""How the draft network does on pairs that training never sees: three figures and a sheet."""

from __future__ import annotations

from pathlib import Path

import torch

from models.draft.feedforward import FeedForward
from models.draft.model import DraftModel
from models.encoders import Encoder
from models.pictures.reading import open_picture
from models.tensors.images import to_picture, to_tensor
from models.training.evaluation.figures import mean_figures
from models.training.evaluation.judge import Judge
from models.training.evaluation.pairs import contact_sheet, sized, validation_pairs

PAIRS = 12


class Validation:
    """Fixed pairs of photo and style, and the judge of what is made of them."""

    def __init__(self, data: Path, encoder: Encoder, judge: Judge) -> None:
        """`data` as in `evaluate`; `encoder` is our own, for the style codes.

        Both networks are on one device. About 50 MB are kept for each pair, so that a report has
        only its own paintings to encode.
        """
        self._encoder = encoder
        self._judge = judge
        self._pairs = validation_pairs(data, PAIRS)
        self._pictures = [
            (self._picture(pair.photo), self._picture(pair.style)) for pair in self._pairs
        ]
        self._references = [judge.reference(photo, style) for photo, style in self._pictures]

    def report(self, model: DraftModel, sheet: Path) -> dict[str, float]:
        """The means of the three figures; writes the contact sheet to `sheet`."""
        draft = FeedForward(model, self._encoder)
        figures, paintings = [], []
        for (photo, style), reference in zip(self._pictures, self._references, strict=True):
            painting = draft.paint(photo, draft.style_code(style))
            figures.append(self._judge(reference, painting))
            paintings.append(to_picture(painting))
        contact_sheet(self._pairs, [paintings]).save(sheet)
        return mean_figures(figures).rounded()

    def _picture(self, path: Path) -> torch.Tensor:
        return to_tensor(sized(open_picture(path)), self._encoder.mean.device)
