"""Why a job can't be painted, in the words the bot has a sentence for."""

from __future__ import annotations

from app.jobs.model import Failure, JobRequest
from models.clips.interface import ClipError
from models.interface import OutOfMemoryError
from models.pictures.problems import PictureError


class PictureGoneError(Exception):
    """A picture was deleted while the job waited; `failure` says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def check_pictures(request: JobRequest) -> None:
    """Blocking: look whether all pictures are still there. Raises PictureGoneError."""
    if not request.content.is_file():
        raise PictureGoneError(Failure.PICTURE_GONE)
    if not all(style.picture.is_file() for style in request.styles):
        raise PictureGoneError(Failure.STYLE_GONE)


def failure_of(error: Exception) -> Failure:
    """What an error in painting means for the person."""
    if isinstance(error, PictureGoneError):
        return error.failure
    if isinstance(error, PictureError):
        return Failure.BAD_PICTURE
    if isinstance(error, ClipError):
        return Failure.BAD_CLIP
    if isinstance(error, OutOfMemoryError):
        return Failure.OUT_OF_MEMORY
    return Failure.INTERNAL
