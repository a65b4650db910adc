"""The driver's end of an actor, which is a `RemotePainter`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.clips.interface import ClipReport, PaintedClip
from models.files import flushed
from models.interface import (
    DeviceAwayError,
    DeviceLostError,
    EngineError,
    KilledForMemoryError,
    OutOfMemoryError,
    Painting,
    StepReport,
    Style,
)
from models.remote.messages import (
    Begun,
    ClipOrder,
    ClipPart,
    EngineOrder,
    PaintClip,
    PaintPicture,
    PictureOrder,
    SentStyle,
)
from models.remote.painter import RemotePainter
from models.remote.places import Place

CONTROL = "control"
"""The actor's second concurrency group: what may be called while it paints."""

NO_ROOM = "The Ray cluster has no room to carry this picture."
REASON_CHARS = 300
"""Of what Ray says; the rest are its statistics."""


class Actor:
    """One engine of the cluster. Its methods may be called by several threads."""

    def __init__(self, place: Place) -> None:
        """Start it; what becomes of that is heard of by `load`."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        as_actor = ray.remote(
            num_cpus=0 if place.on_gpu else place.threads,
            num_gpus=int(place.on_gpu),
            # A clip and a photo that it lets in.
            max_concurrency=2,
            concurrency_groups={CONTROL: 1},
            # One that died is as lost as a GPU: its job must not begin again behind the bot's back.
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(place.machine.node_id, soft=False),
        )
        self._actor = as_actor(RemotePainter).remote()
        self._ping: Any = None

    def lacks_vgg16(self, *, timeout_s: float) -> bool:
        """Whether its machine has no VGG16. Raises EngineError."""
        return bool(self._result(self._actor.lacks_vgg16.remote(), timeout_s))

    def load(self, order: EngineOrder, weights: Any, *, timeout_s: float) -> None:
        """Wait for the engine; `weights` as in `RemotePainter.load`, or a reference to them.

        Raises EngineError, one sentence.
        """
        self._result(self._actor.load.remote(order, weights), timeout_s)

    def _result(self, reference: Any, timeout_s: float) -> Any:
        import ray
        from ray.exceptions import GetTimeoutError, RayError, RayTaskError

        try:
            return ray.get(reference, timeout=timeout_s)
        except GetTimeoutError:
            raise EngineError(
                f"it was not ready after {timeout_s:.0f} s; does another program hold it?"
            ) from None
        except RayTaskError as error:
            if isinstance(error.cause, EngineError):
                raise error.cause from None
            raise EngineError(f"{error.cause!r}") from error
        except RayError as error:
            last = str(error).strip().splitlines()[-1].strip()
            raise EngineError(
                f"start Ray there from the project's folder (README, several machines). {last}"
            ) from error

    def is_dead(self) -> bool:
        """Whether its process is known to have ended; looked at without waiting."""
        import ray
        from ray.exceptions import RayError

        if self._ping is not None:
            answered, _ = ray.wait([self._ping], timeout=0)
            if not answered:
                return False
            try:
                ray.get(self._ping)
            except RayError:
                return True
        self._ping = self._actor.is_there.options(concurrency_group=CONTROL).remote()
        return False

    def end(self) -> None:
        """Kill its process, if it is still there; never raises."""
        import ray

        with contextlib.suppress(Exception):
            ray.kill(self._actor)

    def stop(self, number: int, *, cancel: bool) -> None:
        """End the order of this number after the step in hand."""
        self._actor.stop.options(concurrency_group=CONTROL).remote(number, cancel=cancel)

    def paint(self, number: int, order: PaintPicture) -> Iterator[StepReport | Painting]:
        """Any number of reports and the painting.

        Raises as `Stylizer.stylize`, OSError for a file that can't be read, DeviceLostError where
        the process or its machine is gone, and DeviceAwayError.
        """
        sent = PictureOrder(
            number=number,
            content=order.content.read_bytes(),
            styles=_sent(order.styles),
            options=order.options,
        )
        return answers(self._actor.paint, sent)

    def paint_clip(self, number: int, order: PaintClip) -> Iterator[ClipReport | PaintedClip]:
        """Any number of reports, and the clip, whose file lies at `output` then.

        Raises as `ClipStylizer.stylize_clip`, and as `paint`.
        """
        sent = ClipOrder(
            number=number,
            content=order.source.read_bytes(),
            suffix=order.source.suffix,
            styles=_sent(order.styles),
            options=order.options,
            kind=order.kind,
            limits=order.limits,
        )
        prefix = f".{order.output.name}-"
        with TemporaryDirectory(prefix=prefix, dir=order.output.parent) as folder:
            arriving = Path(folder) / "arriving.mp4"
            painted: PaintedClip | None = None
            with arriving.open("wb") as file:
                for answer in answers(self._actor.paint_clip, sent):
                    if isinstance(answer, ClipPart):
                        file.write(answer.content)
                    elif isinstance(answer, PaintedClip):
                        painted = answer
                    else:
                        yield answer
            if painted is None:
                raise EngineError("the engine ended without a clip")
            flushed(arriving)
            arriving.replace(order.output)
        yield replace(painted, path=order.output)


def _sent(styles: Sequence[Style]) -> tuple[SentStyle, ...]:
    return tuple(
        SentStyle(style.picture.read_bytes(), style.weight, style.recipe) for style in styles
    )


def answers(method: Any, order: PictureOrder | ClipOrder) -> Iterator[Any]:
    """What an actor's `method` yields after `Begun`, and Ray's errors as ours."""
    import ray
    from ray.exceptions import ObjectStoreFullError, OutOfDiskError, RayError, RayTaskError

    has_begun = False
    try:
        for reference in method.options(num_returns="streaming").remote(order):
            answer = ray.get(reference)
            if isinstance(answer, Begun):
                has_begun = True
            else:
                yield answer
    except RayTaskError as error:
        if isinstance(error.cause, ObjectStoreFullError | OutOfDiskError):
            raise OutOfMemoryError(NO_ROOM) from error
        if isinstance(error.cause, Exception):
            raise error.cause from None
        raise EngineError(str(error)) from error
    except (ObjectStoreFullError, OutOfDiskError) as error:
        raise OutOfMemoryError(NO_ROOM) from error
    except RayError as error:
        raise _lost(error, has_begun=has_begun) from error


def _lost(error: Exception, *, has_begun: bool) -> DeviceLostError:
    import ray

    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:REASON_CHARS]}"
    # Where the cluster's head is gone as well, this ends with the process, and not with an answer.
    ray.nodes()
    if not has_begun:
        return DeviceAwayError(reason)
    # By Ray's memory monitor. Where the kernel was quicker, it is a process that died.
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return KilledForMemoryError(reason)
    return DeviceLostError(reason)
