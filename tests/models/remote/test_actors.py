"""What Ray's errors mean; `tests/app/test_engine.py` has them raised by a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.interface import (
    DeviceAwayError,
    DeviceLostError,
    EngineError,
    KilledForMemoryError,
    OutOfMemoryError,
    StyleOptions,
)
from models.remote.actors import answers
from models.remote.messages import Begun, PictureOrder
from tests.ray_cluster import need_ray

ORDER = PictureOrder(number=1, content=b"", styles=(), options=StyleOptions())


class Method:
    """An actor's: yields what it is given, and raises what comes after that."""

    def __init__(self, *answers: Any, error: Exception) -> None:
        self._answers = answers
        self._error = error

    def options(self, **_: Any) -> Method:
        return self

    def remote(self, _: PictureOrder) -> Iterator[Any]:
        yield from self._answers
        raise self._error


@pytest.fixture(autouse=True)
def ray(monkeypatch: pytest.MonkeyPatch) -> Any:
    need_ray()
    import ray

    monkeypatch.setattr(ray, "get", lambda reference: reference)
    monkeypatch.setattr(ray, "nodes", list)
    return ray


def raised(*given: Any, error: Exception) -> Exception:
    with pytest.raises(EngineError) as caught:
        list(answers(Method(*given, error=error), ORDER))
    return caught.value


def test_an_actor_that_died_under_a_picture_may_be_its_doing(ray: Any) -> None:
    died = ray.exceptions.ActorDiedError()
    assert type(raised(Begun(), error=died)) is DeviceLostError
    assert type(raised(error=died)) is DeviceAwayError


def test_the_memory_monitor_s_kill_is_known_as_such(ray: Any) -> None:
    killed = ray.exceptions.OutOfMemoryError("the node was running low on memory\n" * 100)
    error = raised(Begun(), error=killed)
    assert type(error) is KilledForMemoryError
    assert len(str(error)) < 400
    assert type(raised(error=killed)) is DeviceAwayError


def test_a_full_object_store_is_the_picture_s_alone(ray: Any) -> None:
    for kind in (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError):
        assert type(raised(error=kind("full"))) is OutOfMemoryError
        assert not isinstance(raised(Begun(), error=kind("full")), DeviceLostError)


def test_what_the_painter_raises_comes_as_it_is(ray: Any) -> None:
    cause = OSError(28, str(Path("painted.mp4")))
    task_error = ray.exceptions.RayTaskError("paint", "a traceback", cause)
    with pytest.raises(OSError, match=r"painted\.mp4"):
        list(answers(Method(Begun(), error=task_error), ORDER))
