"""The engine on one device: draft first, then painting by optimisation, smaller if need be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from models.canvas import Canvas
from models.drafter import Drafter
from models.encoders import Encoder
from models.failures import is_device_lost, is_out_of_memory, release_memory
from models.gatys import (
    DivergedError,
    Grams,
    Recipe,
    Stage,
    Step,
    measure_grams,
    mix_grams,
    optimise,
)
from models.images import Size, image_size, resize
from models.interface import (
    MIN_SIZE_PX,
    MIN_STRENGTH,
    DeviceLostError,
    Note,
    OnStep,
    OutOfMemoryError,
    Painting,
    Quality,
    Style,
    StyleOptions,
    ignore_step,
)
from models.pictures import open_picture
from models.progress import Progress
from models.schedule import stage_sizes, stage_steps
from models.strength import content_factor, style_share
from models.style_targets import StyleTargets

_log = logging.getLogger(__name__)

_SHRINK = 0.7
"""What a picture that did not fit into memory is scaled by: half the pixels."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One call of `stylize`, its photo decoded."""

    photo: Image.Image
    styles: Sequence[Style]
    options: StyleOptions
    on_step: OnStep
    stop: threading.Event
    started: float


class TorchStylizer:
    """Implements `models.interface.Stylizer` on one device."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        device: torch.device,
        drafter: Drafter | None,
        recipe: Recipe | None = None,
    ) -> None:
        """Without a `drafter` the optimisation starts from the photo and takes more steps."""
        # channels_last is worth a fifth of the time on a processor.
        encoder.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._encoder = encoder
        self.device = device
        self._drafter = drafter
        self._recipe = recipe or Recipe()
        self._targets = StyleTargets(self._encoder, self._recipe.style_weights, device=device)

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        """See `models.interface.Stylizer.stylize`."""
        started = time.perf_counter()
        photo = open_picture(content, long_side_px=options.size_px)
        order = _Order(photo, styles, options, on_step, stop or threading.Event(), started)
        # Both modes belong to the thread, and whoever calls may have them the other way round.
        with torch.inference_mode(mode=False), torch.enable_grad():
            return self._paint_what_fits(order)

    def _paint_what_fits(self, order: _Order) -> Painting:
        """Paint, smaller each time memory runs out, until it fits."""
        options = order.options
        while True:
            painting = self._try_to_paint(order, options)
            if painting is not None:
                shrunk = options.size_px < order.options.size_px
                return (
                    replace(painting, notes=painting.notes | {Note.SHRUNK}) if shrunk else painting
                )
            release_memory()
            _log.warning("out of memory at %d px", options.size_px)
            if options.size_px == MIN_SIZE_PX:
                raise OutOfMemoryError("There is not enough memory to paint even a small picture.")
            options = replace(options, size_px=max(MIN_SIZE_PX, int(options.size_px * _SHRINK)))

    def _try_to_paint(self, order: _Order, options: StyleOptions) -> Painting | None:
        """The painting, or None if memory ran out.

        That is a value and not an exception because an exception pins the tensors of every frame
        that it went through, and the next attempt needs their memory.
        """
        try:
            return self._paint(order, options)
        except Exception as error:
            if is_device_lost(error):
                raise DeviceLostError("The graphics card has to be restarted.") from error
            if not is_out_of_memory(error):
                raise
        return None

    def _paint(self, order: _Order, options: StyleOptions) -> Painting:
        canvas = Canvas(
            order.photo,
            long_side_px=options.size_px,
            keep_colors=options.keep_colors,
            device=self.device,
        )
        if options.strength == MIN_STRENGTH:
            return _painting(order, options, canvas.photo())
        draft = self._draft(canvas, order, options)
        if draft is not None and options.quality is Quality.DRAFT:
            return _painting(order, options, canvas.picture(draft))
        return self._optimise(canvas, draft, order, options)

    def _draft(self, canvas: Canvas, order: _Order, options: StyleOptions) -> Tensor | None:
        if self._drafter is None:
            return None
        return self._drafter.draft(
            canvas.content,
            order.styles,
            brush=options.brush,
            strength=options.strength,
            seed=options.seed,
        )

    def _optimise(
        self, canvas: Canvas, draft: Tensor | None, order: _Order, options: StyleOptions
    ) -> Painting:
        sizes = stage_sizes(image_size(canvas.content))
        steps = stage_steps(sizes, options.quality, options.steps)
        progress = Progress(
            order.on_step, steps=sum(steps), started=order.started, finish=canvas.picture
        )
        if draft is not None:
            progress.draft(draft)
        image = canvas.content if draft is None else draft
        stages = self._stages(canvas.content, sizes, steps, order.styles, options)
        notes = set()
        progress.begin()
        try:
            for step in self._walk(canvas.content, stages, image, options):
                image = step.image
                progress.step(step)
                if order.stop.is_set() and not progress.finished:
                    notes.add(Note.STOPPED)
                    break
        except DivergedError:
            _log.warning("the optimisation diverged after %d steps", progress.done)
            notes.add(Note.DIVERGED)
        picture = canvas.picture(image)
        return _painting(order, options, picture, steps=progress.done, notes=notes)

    def _stages(
        self,
        content: Tensor,
        sizes: Sequence[Size],
        steps: Sequence[int],
        styles: Sequence[Style],
        options: StyleOptions,
    ) -> list[Stage]:
        """The scales that get any steps, with their style targets."""
        worth = [(size, count) for size, count in zip(sizes, steps, strict=True) if count]
        long_sides = [max(size) for size, _ in worth]
        targets = self._targets.at_scales(styles, long_sides, brush=options.brush)
        share = style_share(options.strength)
        return [
            Stage(size, count, self._moderated(target, content, size, share))
            for (size, count), target in zip(worth, targets, strict=True)
        ]

    def _moderated(self, target: Grams, content: Tensor, size: Size, share: float) -> Grams:
        """The style target moved towards the photo's own statistics, where both losses are 0."""
        if share == 1:
            return target
        own = measure_grams(self._encoder, resize(content, size), tuple(target))
        return mix_grams([(target, share), (own, 1 - share)])

    def _walk(
        self,
        content: Tensor,
        stages: Sequence[Stage],
        initial: Tensor,
        options: StyleOptions,
    ) -> Iterator[Step]:
        recipe = replace(
            self._recipe,
            content_weight=self._recipe.content_weight * content_factor(options.strength),
            noise=self._recipe.noise * style_share(options.strength),
        )
        return optimise(self._encoder, content, stages, recipe, initial=initial, seed=options.seed)


def _painting(
    order: _Order,
    options: StyleOptions,
    picture: Image.Image,
    *,
    steps: int = 0,
    notes: Collection[Note] = (),
) -> Painting:
    return Painting(
        picture=picture,
        options=options,
        steps=steps,
        seconds=time.perf_counter() - order.started,
        notes=frozenset(notes),
    )
