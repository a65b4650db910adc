"""What is remembered of style pictures, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.encoders import Encoder, vgg_modules
from models.engine import style_cache
from models.engine.style_cache import StyleCache
from models.interface import Style
from models.neighbours.columns import COLUMN_LAYERS
from models.neighbours.style import StylePool, sample_style
from models.pictures.problems import PictureError, PictureProblem
from models.pictures.reading import open_picture
from models.tensors.images import resize, to_tensor
from tests.models.tiny_encoder import WIDTHS, style_file, tiny_encoder

CPU = torch.device("cpu")


class _WatchedEncoder(Encoder):
    """Writes down the sizes of what it encodes."""

    def __init__(self) -> None:
        super().__init__(vgg_modules(WIDTHS))
        self.load_state_dict(tiny_encoder().state_dict())
        self.requires_grad_(False)
        self.seen: list[tuple[int, int]] = []

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        self.seen.append((image.shape[-2], image.shape[-1]))
        return super().forward(image, layers)


@pytest.fixture
def encoder() -> _WatchedEncoder:
    return _WatchedEncoder()


@pytest.fixture
def memory(encoder: _WatchedEncoder) -> StyleCache:
    return StyleCache(encoder, samples=100, device=CPU)


@pytest.fixture
def style(tmp_path: Path) -> Style:
    return Style(style_file(tmp_path / "style.png"))


def _measured(
    memory: StyleCache,
    *styles: Style,
    scales: tuple[int, ...] = (64,),
    brush: float = 1,
    seed: int = 0,
) -> list[StylePool]:
    return memory.at_scales(styles, scales, brush=brush, seed=seed)


def test_a_style_is_measured_at_each_scale(memory: StyleCache, style: Style) -> None:
    pools = _measured(memory, style, scales=(32, 48, 80))
    picture = to_tensor(open_picture(style.picture))
    for found, side in zip(pools, (32, 48, 80), strict=True):
        scaled = resize(picture, (side, side)).clamp(0, 1)
        expected = sample_style(tiny_encoder(), scaled, samples=100, seed=0)
        torch.testing.assert_close(found.keys, expected.keys)
        torch.testing.assert_close(found.patches, expected.patches)
        assert len(found.keys) == min(100, (side // 4) ** 2)


def test_a_style_is_remembered(
    memory: StyleCache, encoder: _WatchedEncoder, style: Style, tmp_path: Path
) -> None:
    first = _measured(memory, style, scales=(32, 64))
    passes = len(encoder.seen)
    assert passes > 0
    # Also under another name, for what is remembered is the file's content.
    copy = tmp_path / "copy.png"
    copy.write_bytes(style.picture.read_bytes())
    again = _measured(memory, Style(copy, 0.3), scales=(32, 64))
    assert len(encoder.seen) == passes
    for one, two in zip(first, again, strict=True):
        assert one.parts[0] is two.parts[0]


def test_another_content_scale_or_seed_is_measured_anew(
    memory: StyleCache, encoder: _WatchedEncoder, style: Style, tmp_path: Path
) -> None:
    found = _measured(memory, style)
    other = Style(style_file(tmp_path / "other.png", seed=5))
    for styles, scales, seed in (([style], (48,), 0), ([style], (64,), 1), ([other], (64,), 0)):
        passes = len(encoder.seen)
        changed = _measured(memory, *styles, scales=scales, seed=seed)
        assert len(encoder.seen) > passes
        assert not torch.equal(changed[0].keys, found[0].keys)
    # A picture that is painted over under its old name is another one.
    style_file(style.picture, seed=9)
    assert not torch.equal(_measured(memory, style)[0].keys, found[0].keys)


def test_the_same_scale_twice_is_measured_once(
    memory: StyleCache, encoder: _WatchedEncoder, style: Style
) -> None:
    one, two = _measured(memory, style, scales=(64, 64))
    assert one.parts[0] is two.parts[0]
    assert encoder.seen == [(64, 64)]


@pytest.mark.parametrize(("brush", "side"), [(0.5, 32), (1, 64), (2.5, 160), (0.01, 16)])
def test_the_brush_scales_the_style(
    memory: StyleCache, encoder: _WatchedEncoder, style: Style, brush: float, side: int
) -> None:
    """Down to what can still be encoded."""
    _measured(memory, style, brush=brush)
    assert set(encoder.seen) == {(side, side)}


def test_of_what_gets_too_large_the_middle_is_measured(
    memory: StyleCache,
    encoder: _WatchedEncoder,
    style: Style,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(style_cache, "_MAX_STYLE_PX", 160)
    (found,) = _measured(memory, style, brush=5)
    assert set(encoder.seen) == {(160, 160)}
    middle = to_tensor(open_picture(style.picture))[..., 20:60, 20:60]
    expected = sample_style(
        tiny_encoder(), resize(middle, (160, 160)).clamp(0, 1), samples=100, seed=0
    )
    torch.testing.assert_close(found.keys, expected.keys)


def test_styles_are_mixed_by_their_weights(
    memory: StyleCache, style: Style, tmp_path: Path
) -> None:
    other = Style(style_file(tmp_path / "other.png", seed=5), 3.0)
    (mixed,) = _measured(memory, style, other)
    assert mixed.weights == pytest.approx([0.25, 0.75])
    alone = [_measured(memory, each)[0].parts[0] for each in (style, other)]
    assert all(part is own for part, own in zip(mixed.parts, alone, strict=True))


def test_a_file_that_is_not_there_is_refused(
    memory: StyleCache, style: Style, tmp_path: Path
) -> None:
    with pytest.raises(PictureError) as refusal:
        _measured(memory, style, Style(tmp_path / "none.png"))
    assert refusal.value.problem is PictureProblem.MISSING
    # Also one that was there before.
    _measured(memory, style)
    style.picture.unlink()
    with pytest.raises(PictureError) as refusal:
        _measured(memory, style)
    assert refusal.value.problem is PictureProblem.MISSING


def test_the_longest_unused_is_forgotten_first(
    memory: StyleCache, encoder: _WatchedEncoder, tmp_path: Path
) -> None:
    one, two, three = (Style(style_file(tmp_path / f"{n}.png", seed=n)) for n in (1, 2, 3))
    size = _measured(memory, one)[0].parts[0].nbytes
    memory = StyleCache(encoder, samples=100, device=CPU, limit_bytes=int(2.5 * size))
    for style in (one, two, one, three):
        _measured(memory, style)
    encoder.seen.clear()
    _measured(memory, one)
    _measured(memory, three)
    assert encoder.seen == []
    _measured(memory, two)
    assert encoder.seen != []


def test_what_is_larger_than_the_memory_is_measured_all_the_same(
    encoder: _WatchedEncoder, style: Style
) -> None:
    memory = StyleCache(encoder, samples=100, device=CPU, limit_bytes=10)
    for _ in range(2):
        encoder.seen.clear()
        pools = _measured(memory, style, scales=(32, 64))
        assert [len(found.keys) for found in pools] == [64, 100]
        assert set(encoder.seen) == {(32, 32), (64, 64)}


def test_samples_are_of_all_column_layers(memory: StyleCache, style: Style) -> None:
    (found,) = _measured(memory, style)
    assert list(found.parts[0].statistics.sizes) == list(COLUMN_LAYERS)
