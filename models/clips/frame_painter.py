"""One clip's frames to paintings, each painted like the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from models.clips.drift import Drift
from models.clips.frame_pixels import Pixels
from models.clips.motion import Field, Motion, MotionFinder
from models.clips.shot_detector import ShotDetector
from models.clips.steadier import Steadier
from models.draft.drafter import Drafter
from models.draft.shot import Shot
from models.encoders import MIN_SIDE_PX
from models.face_mask import FaceMask
from models.faces import FaceFinder
from models.interface import MIN_STRENGTH, Style, StyleOptions
from models.tensors.images import with_colors_of

_FACES_EVERY = 8
"""Frames from one look for faces to the next; between them the mask goes with the motion."""
_FACE_NEWS = 0.5
"""What a look counts for: a face that isn't found once doesn't jump."""
_LOST = 0.2
"""Mean belief in the motion below which there is none."""
_LEVELS = 255


@dataclass(frozen=True, slots=True)
class _Faces:
    """Where a frame's faces are."""

    mask: Field
    """(height, width)"""
    detail_px: float


@dataclass(frozen=True, slots=True)
class Look:
    """A frame and what is known about it before it is painted."""

    frame: Pixels
    motion: Motion | None
    """Since the frame before; None at the beginning of a shot."""
    faces: _Faces | None
    drift: Field | None
    """See `Drift.after`."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A look and what the network made of it."""

    look: Look
    painting: Field
    """(height, width, 3), 0-255."""


class FramePainter:
    """Paints the frames of one clip in their order: `look` at each, `draft` and `finish` it.

    Each of the three may be done in a thread of its own.
    """

    def __init__(
        self,
        drafter: Drafter,
        face_finder: FaceFinder | None,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        device: torch.device,
    ) -> None:
        self._drafter = drafter
        self._face_finder = face_finder if options.keep_faces else None
        self._styles = styles
        self._options = options
        self._device = device
        self._shots = ShotDetector()
        self._motions = MotionFinder()
        self._steadier = Steadier()
        self._shot = Shot()
        self._before: Pixels | None = None
        self._faces: _Faces | None = None
        self._frames = 0
        self._drift = Drift()

    def look(self, frame: Pixels) -> Look:
        """What there is to know about the next frame."""
        if self._options.strength == MIN_STRENGTH:
            return Look(frame, None, None, None)
        before, self._before = self._before, frame
        motion = None
        if not self._shots.begins(frame) and before is not None:
            motion = self._motions.find(before, frame)
            # Another shot in the same colours: nothing in it was there before.
            motion = motion if motion.belief.mean() > _LOST else None
        return Look(frame, motion, self._faces_in(frame, motion), self._drift.after(motion))

    def draft(self, look: Look) -> Drafted:
        """What the network paints. Raises PictureError for a style picture."""
        frame = look.frame
        if self._options.strength == MIN_STRENGTH:
            return Drafted(look, frame.astype(np.float32))
        if look.motion is None:
            self._shot = Shot()
        self._shot.begin_frame(self._shares(look))
        painting = self._drafter.draft(
            _thick_enough(_tensor(frame).to(self._device)),
            self._styles,
            brush=self._options.brush,
            strength=self._options.strength,
            seed=self._options.seed,
            faces=self._face_mask(look.faces),
            shot=self._shot,
        )
        height, width = frame.shape[:2]
        return Drafted(look, _levels(painting[..., :height, :width]))

    def finish(self, drafted: Drafted) -> Pixels:
        """The painting (height, width, 3) as it is shown: steadied, in the photo's colours if that
        was asked for.
        """
        look = drafted.look
        if self._options.strength == MIN_STRENGTH:
            return look.frame
        steady = self._steadier.steady(drafted.painting, look.motion)
        if self._options.keep_colors:
            colored = with_colors_of(_tensor(steady).clamp(0, 1), _tensor(look.frame))
            steady = _levels(colored)
        return np.rint(steady).clip(0, _LEVELS).astype(np.uint8)

    def paint(self, frame: Pixels) -> Pixels:
        """All three steps for the next frame."""
        return self.finish(self.draft(self.look(frame)))

    def _faces_in(self, frame: Pixels, motion: Motion | None) -> _Faces | None:
        """Where they were, moved, or found anew."""
        if self._face_finder is None:
            return None
        if motion is None:
            self._faces, self._frames = None, 0
        kept = self._faces
        if kept is not None and motion is not None:
            kept = _Faces(motion.carried(kept.mask).clip(0, 1), kept.detail_px)
        if self._frames % _FACES_EVERY == 0:
            kept = _renewed(kept, self._found(self._face_finder, frame))
        self._frames += 1
        self._faces = kept
        return kept

    def _shares(self, look: Look) -> Tensor | None:
        """The drift as the network wants it."""
        if look.drift is None:
            return None
        height, width = look.frame.shape[:2]
        shares = torch.from_numpy(look.drift / np.array((width, height), np.float32))
        return shares.permute(2, 0, 1)[None].to(self._device)

    def _face_mask(self, faces: _Faces | None) -> FaceMask | None:
        if faces is None:
            return None
        mask = torch.from_numpy(faces.mask)[None, None].to(self._device)
        return FaceMask(_thick_enough(mask), faces.detail_px)

    def _found(self, face_finder: FaceFinder, frame: Pixels) -> _Faces | None:
        faces = face_finder.find(Image.fromarray(frame))
        if not faces:
            return None
        height, width = frame.shape[:2]
        found = FaceMask.of(
            faces, (height, width), long_side_px=max(height, width), device=torch.device("cpu")
        )
        return _Faces(found.mask[0, 0].numpy(), found.detail_px)


def _renewed(former: _Faces | None, found: _Faces | None) -> _Faces | None:
    """Half of what was known and half of what was found now; all of it at first."""
    if former is None:
        return found
    mask = former.mask * np.float32(1 - _FACE_NEWS)
    if found is not None:
        return _Faces(mask + np.float32(_FACE_NEWS) * found.mask, found.detail_px)
    return _Faces(mask, former.detail_px) if mask.max() > 1 / _LEVELS else None


def _tensor(levels: Field | Pixels) -> Tensor:
    """(1, 3, H, W), 0-1."""
    pixels = torch.from_numpy(np.ascontiguousarray(levels).copy())
    return pixels.permute(2, 0, 1)[None].float() / _LEVELS


def _levels(image: Tensor) -> Field:
    """(H, W, 3), 0-255."""
    levels: Field = image[0].permute(1, 2, 0).mul(_LEVELS).cpu().numpy()
    return np.ascontiguousarray(levels)


def _thick_enough(image: Tensor) -> Tensor:
    """A long and narrow picture at a small size is thinner than the encoder can see."""
    height, width = image.shape[-2:]
    below, right = max(0, MIN_SIDE_PX - height), max(0, MIN_SIDE_PX - width)
    return F.pad(image, (0, right, 0, below), mode="replicate") if below or right else image
