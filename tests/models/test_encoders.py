"""Encoders: the right layers by name, at every size and in every number format."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from skimage.data import chelsea
from torch import Tensor, nn

from models.devices.torchvision_compat import vgg16_modules
from models.encoders import MIN_SIDE_PX, SLIM_WIDTHS, Encoder, load_encoder, slim_encoder

SLIM_LAYERS = (
    *("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3"),
    *("relu4_1", "relu4_2", "relu5_1"),
)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@pytest.fixture(scope="module")
def slim() -> Encoder:
    return load_encoder("slim", cache_dir=Path("never/read"))


@pytest.fixture(scope="module")
def cat() -> Tensor:
    """A photograph, (1, 3, 150, 226)."""
    pixels = chelsea()  # type: ignore[no-untyped-call]
    return torch.from_numpy(pixels[::2, ::2].copy()).permute(2, 0, 1)[None].float() / 255


def test_slim_has_vggs_layer_names(slim: Encoder) -> None:
    assert slim.layers == SLIM_LAYERS


def test_every_stage_halves_the_picture(slim: Encoder, cat: Tensor) -> None:
    found = slim(cat, STYLE_LAYERS)
    shapes = [tuple(found[layer].shape[-2:]) for layer in STYLE_LAYERS]
    assert shapes == [(150, 226), (75, 113), (37, 56), (18, 28), (9, 14)]


def test_one_layer_alone_is_the_same_as_among_others(slim: Encoder, cat: Tensor) -> None:
    every = slim(cat, SLIM_LAYERS)
    assert set(every) == set(SLIM_LAYERS)
    for layer in SLIM_LAYERS:
        assert torch.equal(slim(cat, [layer])[layer], every[layer])


def test_nothing_is_computed_below_the_deepest_layer_asked_for() -> None:
    encoder = slim_encoder()
    ran: list[nn.Module] = []
    for module in encoder.stack.children():
        module.register_forward_hook(lambda module, _inputs, _output: ran.append(module))
    encoder(torch.zeros(1, 3, 16, 16), ["relu1_2", "relu2_1"])
    assert ran[-1] is encoder.stack.get_submodule("relu2_1")


@pytest.mark.parametrize("size", [(16, 16), (16, 320), (17, 31), (333, 16)])
def test_small_and_long_pictures_go_through(slim: Encoder, size: tuple[int, int]) -> None:
    deepest = slim(torch.rand(2, 3, *size), ["relu5_1"])["relu5_1"]
    assert deepest.shape == (2, SLIM_WIDTHS[-1][-1], size[0] // 16, size[1] // 16)
    assert deepest.isfinite().all()


def test_a_picture_too_small_to_pool_is_refused(slim: Encoder) -> None:
    with pytest.raises(ValueError, match="at least 16 px"):
        slim(torch.rand(1, 3, MIN_SIDE_PX - 1, 100), ["relu1_1"])


def test_an_unknown_layer_is_refused_by_its_name(slim: Encoder) -> None:
    with pytest.raises(ValueError, match="relu3_4"):
        slim(torch.rand(1, 3, 32, 32), ["relu1_1", "relu3_4"])


def test_double_and_half_precision_agree_with_single(slim: Encoder, cat: Tensor) -> None:
    single = slim(cat, ["relu5_1"])["relu5_1"]
    for dtype, tolerance in ((torch.float64, 1e-4), (torch.bfloat16, 0.1)):
        encoder = load_encoder("slim", cache_dir=Path("never/read")).to(dtype)
        other = encoder(cat.to(dtype), ["relu5_1"])["relu5_1"]
        assert other.dtype == dtype
        assert (other.float() - single).norm() < tolerance * single.norm()


def test_channels_last_changes_only_the_layout(slim: Encoder, cat: Tensor) -> None:
    plain = slim(cat, STYLE_LAYERS)
    encoder = load_encoder("slim", cache_dir=Path("never/read"))
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    turned = encoder(cat.contiguous(memory_format=torch.channels_last), STYLE_LAYERS)
    for layer in STYLE_LAYERS:
        assert turned[layer].is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(turned[layer], plain[layer], rtol=1e-3, atol=1e-3)


def test_a_plain_picture_has_no_frame(slim: Encoder) -> None:
    """Zeros around the border would make the encoder see a frame, and the painter paint one."""
    deepest = slim(torch.full((1, 3, 64, 64), 0.7), ["relu5_1"])["relu5_1"]
    assert (deepest - deepest.mean((2, 3), keepdim=True)).abs().max() < 1e-4


def test_gradients_reach_the_picture_and_no_weight(slim: Encoder, cat: Tensor) -> None:
    picture = cat.clone().requires_grad_()
    slim(picture, ["relu5_1"])["relu5_1"].square().mean().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in slim.parameters())


def test_slims_layers_are_equally_loud(slim: Encoder, cat: Tensor) -> None:
    """Gram losses weigh layers against each other, so one weight has to mean one thing."""
    for layer, activation in slim(cat, SLIM_LAYERS).items():
        assert 0.2 < activation.square().mean() < 5, layer


def test_slim_tells_textures_apart_and_not_their_places(slim: Encoder) -> None:
    """Stripes three times as wide differ more than the same ones a pixel further.

    Over several widths: where stripes lie on the grid of the pooling, one pixel is much even to
    VGG16 (at 6 px its ratio at relu4_1 is 1.7). Stripes of 2 px are too fine: the card says so.
    """
    for layer in STYLE_LAYERS[1:]:
        ratios = []
        for width in (3, 4, 5, 6):
            here, there, wide = (
                _means(slim, picture, layer)
                for picture in (_stripes(width), _stripes(width).roll(1, -1), _stripes(3 * width))
            )
            ratios.append((here - wide).norm() / (here - there).norm())
        assert torch.stack(ratios).log().mean().exp() > 2.4, layer
        assert min(ratios) > 1.5, layer


def test_vgg16_reads_torchvisions_modules_at_the_right_places() -> None:
    torch.manual_seed(0)
    modules = vgg16_modules()
    encoder = Encoder(modules).eval().requires_grad_(False)
    picture = torch.rand(1, 3, 48, 40)
    places = {"relu1_1": 1, "relu2_2": 8, "relu3_3": 15, "relu4_2": 20, "relu5_1": 25}
    found = encoder(picture, places)
    with torch.no_grad():
        activation = (picture - encoder.mean) / encoder.std
        for place, module in enumerate(modules):
            activation = module(activation)
            for layer in (name for name, wanted in places.items() if wanted == place):
                assert torch.equal(found[layer], activation)


def _stripes(width: int) -> Tensor:
    columns = (torch.arange(96) // width % 2).float()
    return columns.expand(1, 3, 96, 96).contiguous()


def _means(encoder: Encoder, picture: Tensor, layer: str) -> Tensor:
    mean: Tensor = encoder(picture, [layer])[layer].mean((2, 3))
    return mean
