"""What the buttons under a result do to its options: the steps and their bounds, once."""

from __future__ import annotations

import enum
from dataclasses import replace

from app.jobs.model import Delivery, JobRequest, PrintSize, StyleChoice
from models.interface import StyleOptions

STRENGTH_STEP = 15
WEAKEST, STRONGEST = 10, 100
"""Weaker than that is hardly more than the photo itself."""
BRUSHES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""Each stroke is about 1.4 times as wide as the one before."""
HD_SIZE_PX = 2048


class Variation(enum.StrEnum):
    """The buttons under a result, in their order; the values travel in callback data."""

    WEAKER = "weaker"
    STRONGER = "stronger"
    FINER = "finer"
    BROADER = "broader"
    COLORS = "colors"
    FACES = "faces"
    HD = "hd"
    PRINT_A4 = "a4"
    PRINT_A3 = "a3"
    OTHER_STYLE = "style"
    OTHER_PHOTO = "photo"
    SWAP = "swap"

    @property
    def paints_at_once(self) -> bool:
        """Whether the press alone says everything; the other two ask for something first."""
        return self not in {Variation.OTHER_STYLE, Variation.OTHER_PHOTO}


_FOR_CLIPS = frozenset(
    {
        Variation.WEAKER,
        Variation.STRONGER,
        Variation.FINER,
        Variation.BROADER,
        Variation.COLORS,
        Variation.FACES,
    }
)
"""No sheet of paper moves, a clip is as large as it may be, and is no style."""
_SHEETS = {Variation.PRINT_A4: PrintSize.A4, Variation.PRINT_A3: PrintSize.A3}


def possible_variations(request: JobRequest, *, has_faces: bool) -> list[Variation]:
    """The buttons that make sense under this result: none leads past a bound or changes nothing."""
    return [
        variation
        for variation in Variation
        if not variation.paints_at_once or vary(request, variation) is not None
        if has_faces or variation is not Variation.FACES
    ]


def vary(request: JobRequest, variation: Variation) -> JobRequest | None:
    """The same request, otherwise; None at a bound. Its origin is still the old one's."""
    if request.clip is not None and variation not in _FOR_CLIPS:
        return None
    if variation is Variation.SWAP:
        return _swapped(request)
    if variation in _SHEETS:
        return _for_print(request, _SHEETS[variation])
    options = _vary_options(request.options, variation)
    if options is None:
        return None
    if variation is Variation.HD:
        return replace(request, options=options, delivery=Delivery.FILE, print_size=None)
    return replace(request, options=options)


def _for_print(request: JobRequest, sheet: PrintSize) -> JobRequest | None:
    """Painted as large as HD; the rest of the way to the sheet's size it is enlarged."""
    if request.print_size is sheet:
        return None
    size_px = max(HD_SIZE_PX, request.options.size_px)
    options = replace(request.options, size_px=size_px)
    return replace(request, options=options, delivery=Delivery.FILE, print_size=sheet)


def _vary_options(options: StyleOptions, variation: Variation) -> StyleOptions | None:
    match variation:
        case Variation.WEAKER if options.strength > WEAKEST:
            return replace(options, strength=max(WEAKEST, options.strength - STRENGTH_STEP))
        case Variation.STRONGER if options.strength < STRONGEST:
            return replace(options, strength=min(STRONGEST, options.strength + STRENGTH_STEP))
        case Variation.FINER if options.brush > BRUSHES[0]:
            return replace(options, brush=max(b for b in BRUSHES if b < options.brush))
        case Variation.BROADER if options.brush < BRUSHES[-1]:
            return replace(options, brush=min(b for b in BRUSHES if b > options.brush))
        case Variation.COLORS:
            return replace(options, keep_colors=not options.keep_colors)
        case Variation.FACES:
            return replace(options, keep_faces=not options.keep_faces)
        case Variation.HD if options.size_px < HD_SIZE_PX:
            return replace(options, size_px=HD_SIZE_PX)
    return None


def _swapped(request: JobRequest) -> JobRequest | None:
    """Two pictures of a person's own change roles; a preset is nobody's photo."""
    match request.styles:
        case (StyleChoice(picture=style, preset=None),):
            return replace(request, content=style, styles=(StyleChoice(request.content),))
    return None
