"""The engine on one device: draft first, then painting by neighbours, smaller if need be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from models.clips.stylizer import ClipPainter
from models.devices.gpu_options import GpuOptions
from models.devices.placement import current, placed
from models.devices.precision import half_is_wanted
from models.devices.threads import computing_threads
from models.devices.torch_errors import is_device_lost, is_out_of_memory, release_memory
from models.draft.drafter import Drafter
from models.encoders import Encoder
from models.engine.canvas import Canvas
from models.engine.fast_encoder import FastEncoder
from models.engine.neighbour_painter import NeighbourPainter
from models.engine.progress import Progress
from models.face_mask import FaceMask
from models.faces import LOOK_PX, Face, FaceFinder
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
from models.neighbours.objective import DivergedError
from models.pictures.reading import open_picture
from models.tensors.images import image_size, resize, with_finer_detail

_log = logging.getLogger(__name__)

_SHRINK = 0.7
"""What a picture that did not fit into memory is scaled by: half the pixels."""


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments of one call of `stylize`, its photo decoded."""

    photo: Image.Image
    faces: Sequence[Face]
    styles: Sequence[Style]
    options: StyleOptions
    on_step: OnStep
    stop: threading.Event
    started: float


class TorchStylizer:
    """Implements `models.interface.Stylizer` and `models.clips.interface.ClipStylizer`."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        device: torch.device,
        drafter: Drafter | None,
        face_finder: FaceFinder | None = None,
        gpu: GpuOptions | None = None,
    ) -> None:
        """Without a `drafter` a draft is a short painting; without a `face_finder` faces are
        painted as everything else is. `gpu` is how a GPU is used.
        """
        gpu = gpu or GpuOptions()
        there = placed(encoder, device, channels_last=gpu.channels_last)
        half = half_is_wanted(device, asked=gpu.half)
        if half or gpu.graphs:
            there = FastEncoder(there, half=half, graphs=gpu.graphs)
        self._painter = NeighbourPainter(there, device=device)
        self.device = device
        self._threads = torch.get_num_threads()
        self._drafter = drafter
        self._face_finder = face_finder
        clips = ClipPainter(drafter, face_finder, device=device)
        self.stylize_clip = clips.stylize_clip
        self.frame_painter = clips.frame_painter

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
        faces = self._find_faces(content, photo, options)
        stop = stop or threading.Event()
        request = _Request(photo, faces, styles, options, on_step, stop, started)
        # All four belong to the thread, and whoever calls may have them otherwise.
        with (
            computing_threads(self._threads),
            current(self.device),
            torch.inference_mode(mode=False),
            torch.enable_grad(),
        ):
            return self._paint_what_fits(request)

    def _find_faces(
        self, content: Path, photo: Image.Image, options: StyleOptions
    ) -> Sequence[Face]:
        if self._face_finder is None or options.strength == MIN_STRENGTH:
            return ()
        # In a photo made small for a small painting, small faces would be lost.
        if options.size_px < LOOK_PX:
            photo = open_picture(content, long_side_px=LOOK_PX)
        return self._face_finder.find(photo)

    def _paint_what_fits(self, request: _Request) -> Painting:
        """Paint, smaller each time memory runs out, until it fits."""
        options = request.options
        while True:
            painting = self._try_to_paint(request, options)
            if painting is not None:
                shrunk = options.size_px < request.options.size_px
                return (
                    replace(painting, notes=painting.notes | {Note.SHRUNK}) if shrunk else painting
                )
            release_memory()
            _log.warning("out of memory at %d px", options.size_px)
            if options.size_px == MIN_SIZE_PX:
                raise OutOfMemoryError("There is not enough memory to paint even a small picture.")
            options = replace(options, size_px=max(MIN_SIZE_PX, int(options.size_px * _SHRINK)))

    def _try_to_paint(self, request: _Request, options: StyleOptions) -> Painting | None:
        """The painting, or None if memory ran out.

        That is a value and not an exception because an exception pins the tensors of every frame
        that it went through, and the next attempt needs their memory.
        """
        try:
            return self._paint(request, options)
        except Exception as error:
            if is_device_lost(error):
                raise DeviceLostError("The GPU has to be restarted.") from error
            if not is_out_of_memory(error):
                raise
        return None

    def _paint(self, request: _Request, options: StyleOptions) -> Painting:
        canvas = Canvas(
            request.photo,
            long_side_px=options.size_px,
            keep_colors=options.keep_colors,
            device=self.device,
        )
        if options.strength == MIN_STRENGTH:
            return _painting(request, options, canvas.photo())
        faces = self._face_mask(canvas, request, options)
        draft = self._draft(canvas, faces, request, options)
        if draft is not None and options.quality is Quality.DRAFT:
            return _painting(request, options, canvas.picture(draft))
        return self._optimise(canvas, faces, draft, request, options)

    def _face_mask(
        self, canvas: Canvas, request: _Request, options: StyleOptions
    ) -> FaceMask | None:
        if not (request.faces and options.keep_faces):
            return None
        return FaceMask.of(
            request.faces,
            image_size(canvas.content),
            long_side_px=options.size_px,
            device=self.device,
        )

    def _draft(
        self, canvas: Canvas, faces: FaceMask | None, request: _Request, options: StyleOptions
    ) -> Tensor | None:
        if self._drafter is None:
            return None
        return self._drafter.draft(
            canvas.content,
            request.styles,
            brush=options.brush,
            strength=options.strength,
            seed=options.seed,
            faces=faces,
        )

    def _optimise(
        self,
        canvas: Canvas,
        faces: FaceMask | None,
        draft: Tensor | None,
        request: _Request,
        options: StyleOptions,
    ) -> Painting:
        steps = self._painter.steps_in_all(image_size(canvas.content), options)
        initial = canvas.content if draft is None else draft

        def finish(image: Tensor) -> Image.Image:
            # What a coarse scale can't hold yet comes from the draft: no step back in sharpness.
            coarse = resize(initial, image_size(image))
            return canvas.picture(with_finer_detail(image, coarse, initial))

        progress = Progress(request.on_step, steps=steps, started=request.started, finish=finish)
        if draft is not None:
            progress.draft(draft)
        image = initial
        walk = self._painter.paint(canvas.content, request.styles, options, faces=faces)
        notes = set()
        progress.begin()
        try:
            for step in walk:
                image = step.image
                progress.step(step)
                if request.stop.is_set() and not progress.finished:
                    notes.add(Note.STOPPED)
                    break
        except DivergedError:
            _log.warning("the optimisation diverged after %d steps", progress.done)
            notes.add(Note.DIVERGED)
        return _painting(request, options, finish(image), steps=progress.done, notes=notes)


def _painting(
    request: _Request,
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
        seconds=time.perf_counter() - request.started,
        faces=len(request.faces),
        notes=frozenset(notes),
    )
