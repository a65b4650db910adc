"""Half precision and recorded steps, as far as a processor can show them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.encoders import Encoder
from models.engine.fast_encoder import FastEncoder, Graphed
from models.engine.stylizer import TorchStylizer
from models.interface import Style, StyleOptions
from models.tensors.images import image_size, to_tensor
from models.tensors.tiles import tiles_for
from tests.models.tiny_encoder import photo_file, style_file, tiny_encoder

LAYERS = ("relu1_2", "relu3_1")


class FakeRecorder:
    """Replays by calling, into buffers of its own, as CUDA's does."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, function: Graphed, image: Tensor) -> Graphed:
        self.shapes.append(tuple(image.shape))
        return function


def image(side_px: int = 32, *, grad: bool = True) -> Tensor:
    pixels = torch.rand(1, 3, side_px, side_px, generator=torch.Generator().manual_seed(1))
    return pixels.requires_grad_(grad)


def gradient(encoder: Encoder, pixels: Tensor) -> Tensor:
    loss = torch.stack([maps.square().mean() for maps in encoder(pixels, LAYERS).values()]).sum()
    (found,) = torch.autograd.grad(loss, pixels)
    return found


def test_half_precision_is_near_and_a_tile_s_core_comes_out_single() -> None:
    whole = tiny_encoder()
    half = FastEncoder(tiny_encoder(), half=True, graphs=False)
    pixels = image()
    expected, found = whole(pixels, LAYERS), half(pixels, LAYERS)
    for layer in LAYERS:
        assert not torch.equal(found[layer].float(), expected[layer])
        assert torch.allclose(found[layer].float(), expected[layer], atol=0.05, rtol=0.05)
    (tile,) = tiles_for(image_size(pixels))
    core = tile.encode(half, pixels, LAYERS)
    for layer in LAYERS:
        assert core[layer].dtype is torch.float32
        assert torch.equal(core[layer], found[layer].float())
    one, other = gradient(whole, pixels).flatten(), gradient(half, pixels).flatten()
    assert torch.cosine_similarity(one, other, dim=0) > 0.95


def test_recorded_steps_are_the_same_and_recorded_once_for_each_shape() -> None:
    recorder = FakeRecorder()
    encoder = FastEncoder(tiny_encoder(), half=False, graphs=True, record=recorder)
    for side_px in (32, 48, 32):
        pixels = image(side_px)
        assert torch.equal(gradient(encoder, pixels), gradient(tiny_encoder(), pixels))
    assert recorder.shapes == [(1, 3, 32, 32), (1, 3, 48, 48)]


def test_what_needs_no_gradient_is_not_recorded() -> None:
    recorder = FakeRecorder()
    encoder = FastEncoder(tiny_encoder(), half=False, graphs=True, record=recorder)
    encoder(image(grad=False), LAYERS)
    with torch.no_grad():
        encoder(image(), LAYERS)
    assert recorder.shapes == []


def test_recording_that_fails_is_said_once_and_costs_no_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_: Graphed, __: Tensor) -> Graphed:
        raise RuntimeError("operation not permitted when stream is capturing")

    encoder = FastEncoder(tiny_encoder(), half=False, graphs=True, record=refuse)
    with caplog.at_level(logging.WARNING):
        for side_px in (32, 48):
            pixels = image(side_px)
            assert torch.equal(gradient(encoder, pixels), gradient(tiny_encoder(), pixels))
    assert caplog.text.count("without CUDA graphs") == 1


def test_memory_that_runs_out_in_recording_is_the_painter_s_business() -> None:
    def refuse(_: Graphed, __: Tensor) -> Graphed:
        raise torch.OutOfMemoryError("CUDA out of memory")

    encoder = FastEncoder(tiny_encoder(), half=False, graphs=True, record=refuse)
    with pytest.raises(torch.OutOfMemoryError):
        encoder(image(), LAYERS)


def test_a_processor_that_multiplies_bfloat16_paints_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And another one in single precision: where two pieces of the style are equally near, another
    one may win, but the picture is of the same colours."""
    pictures = []
    for able in (True, False):
        found = {"avx512_bf16": able, "amx_bf16": False}
        monkeypatch.setattr(torch.cpu, "get_capabilities", found.copy)
        engine = TorchStylizer(tiny_encoder(), device=torch.device("cpu"), drafter=None)
        styles = [Style(style_file(tmp_path / "style.png"))]
        painting = engine.stylize(
            photo_file(tmp_path / "photo.png"), styles, StyleOptions(size_px=64)
        )
        pictures.append(to_tensor(painting.picture))
    half, single = pictures
    assert not torch.equal(half, single)
    assert (half.mean((2, 3)) - single.mean((2, 3))).abs().max() < 0.02
    assert (half - single).abs().mean() < 0.1
