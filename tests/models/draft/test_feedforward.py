"""The draft network's promises; they hold for any weights, so small random ones serve here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.draft.feedforward import FeedForward, mixed
from models.draft.model import DraftModel
from models.draft.network import REACH, Grain, draft_encoder, encoded
from models.draft.packaged import code_key
from models.draft.shot import Shot
from models.draft.style_code import Moments
from models.face_mask import FaceMask
from models.files import file_sha256
from models.tensors.images import blurred
from models.weights_cache import WeightsError


@pytest.fixture(scope="module")
def model() -> DraftModel:
    torch.manual_seed(0)
    model = DraftModel()
    # The last layer starts at zero, where every painting is the recoloured photo out of focus.
    torch.nn.init.normal_(model.network.last.weight, std=0.05)
    return model


@pytest.fixture(scope="module")
def draft(model: DraftModel) -> FeedForward:
    torch.manual_seed(1)
    return FeedForward(model, draft_encoder())


@pytest.fixture(scope="module")
def single(model: DraftModel) -> FeedForward:
    """What holds exactly holds in single precision, whatever the processor is quick at."""
    torch.manual_seed(1)
    return FeedForward(model, draft_encoder(), half=False)


def picture(height: int, width: int, *, seed: int = 0) -> Tensor:
    """Smooth coloured blobs with a little noise: (1, 3, height, width)."""
    random = torch.Generator().manual_seed(seed)
    blobs = torch.rand(1, 3, 5, 7, generator=random)
    smooth = torch.nn.functional.interpolate(blobs, (height, width), mode="bicubic")
    return (smooth + 0.05 * torch.randn(1, 3, height, width, generator=random)).clamp(0, 1)


@pytest.fixture(scope="module")
def code(draft: FeedForward) -> Tensor:
    return draft.style_code(picture(90, 120, seed=5))


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (16, 320), (320, 16), (101, 64), (96, 96)])
def test_a_painting_has_the_photos_shape_and_legal_colours(
    draft: FeedForward, code: Tensor, size: tuple[int, int]
) -> None:
    painting = draft.paint(picture(*size), code)
    assert painting.shape == (1, 3, *size)
    assert bool(painting.isfinite().all())
    assert float(painting.min()) >= 0
    assert float(painting.max()) <= 1


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_photo_of_one_colour_gives_a_picture(
    draft: FeedForward, code: Tensor, level: float
) -> None:
    painting = draft.paint(torch.full((1, 3, 40, 40), level), code)
    assert bool(painting.isfinite().all())


@pytest.mark.parametrize("size", [(16, 16), (16, 320), (500, 17)])
def test_any_style_picture_that_is_large_enough_has_a_code(
    draft: FeedForward, size: tuple[int, int]
) -> None:
    painting = draft.paint(picture(48, 48), draft.style_code(picture(*size)), share=0.5)
    assert bool(painting.isfinite().all())


@pytest.mark.parametrize("size", [(15, 100), (100, 8)])
def test_a_picture_too_small_is_refused(
    draft: FeedForward, code: Tensor, size: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="16 px"):
        draft.paint(picture(*size), code)
    with pytest.raises(ValueError, match="16 px"):
        draft.style_code(picture(*size))


def test_share_0_is_the_photo_itself(draft: FeedForward, code: Tensor) -> None:
    photo = picture(50, 70)
    assert torch.equal(draft.paint(photo, code, share=0), photo)


def test_more_share_goes_further_from_the_photo() -> None:
    draft, photo = FeedForward.load(), picture(64, 64)
    code = draft.style_code(picture(90, 120, seed=5))
    distances = [
        float((draft.paint(photo, code, share=share) - photo).abs().mean())
        for share in (0.01, 0.3, 0.6, 1)
    ]
    assert distances == sorted(distances)
    assert distances[0] < 0.02 < distances[-1]


def test_a_face_keeps_the_photo_s_fine_detail_and_the_style_s_colours() -> None:
    draft, photo = FeedForward.load(), picture(96, 128)
    code = draft.style_code(picture(90, 120, seed=5))
    mask = torch.zeros(1, 1, 96, 128)
    mask[..., 20:80, 20:60] = 1
    freely, kept = (
        draft.paint(photo, code, faces=faces) for faces in (None, FaceMask(mask, detail_px=6))
    )
    assert torch.equal(freely[..., 60:], kept[..., 60:])

    def detail(image: Tensor) -> Tensor:
        inside = (image - blurred(image, 6))[..., 20:80, 20:60]
        return (inside - inside.mean()).flatten()

    before, after = (
        float(torch.cosine_similarity(detail(each), detail(photo), dim=0))
        for each in (freely, kept)
    )
    assert after > before
    colours = [each[..., 20:80, 20:60].mean((2, 3)) for each in (freely, kept)]
    torch.testing.assert_close(*colours, atol=0.03, rtol=0)


def test_the_same_input_gives_the_same_painting(draft: FeedForward, code: Tensor) -> None:
    photo = picture(72, 56)
    assert torch.equal(draft.paint(photo, code, seed=3), draft.paint(photo, code, seed=3))
    assert not torch.equal(draft.paint(photo, code, seed=3), draft.paint(photo, code, seed=4))


def test_the_grain_of_a_shot_goes_along_its_drift(single: FeedForward, code: Tensor) -> None:
    shot, photo = Shot(), torch.full((1, 3, 96, 160), 0.5)
    shot.begin_frame()
    first = single.paint(photo, code, shot=shot)
    shot.begin_frame(torch.tensor([16 / 160, 32 / 96]).view(1, 2, 1, 1).expand(1, 2, 4, 6))
    gone = single.paint(photo, code, shot=shot)
    inner = first[..., 32 + 16 : -16, 16 + 16 : -16]
    assert float((gone[..., 16 : -32 - 16, 16 : -16 - 16] - inner).abs().max()) < 1e-3
    assert float((gone - first).abs().mean()) > 3e-3


def test_the_photo_and_the_code_are_left_as_they_were(draft: FeedForward, code: Tensor) -> None:
    photo = picture(48, 48)
    before, code_before = photo.clone(), code.clone()
    draft.paint(photo, code, share=0.6)
    assert torch.equal(photo, before)
    assert torch.equal(code, code_before)


def test_tiles_paint_like_the_whole(model: DraftModel) -> None:
    """A tile differs from the whole only by the norms' estimated statistics; no seam stands out."""
    torch.manual_seed(1)
    encoder = draft_encoder()
    photo = picture(400, 700)
    in_tiles = FeedForward(model, encoder, whole_pixels=512 * 512)
    at_once = FeedForward(model, encoder)
    code = at_once.style_code(picture(90, 120, seed=5))
    tiled, whole = in_tiles.paint(photo, code), at_once.paint(photo, code)
    assert float((tiled - whole).abs().mean()) < 0.02
    difference = tiled - whole
    jumps = difference.diff(dim=-1).abs().mean((0, 1, 2))
    assert float(jumps.max()) < 3 * float(jumps.mean()) + 1e-3


def test_tiles_moved_by_the_wholes_maps_are_exact(model: DraftModel) -> None:
    torch.manual_seed(3)
    encoder = draft_encoder()
    draft = FeedForward(model, encoder)
    code = draft.style_code(picture(90, 120, seed=5))
    photo = picture(64, 2 * REACH + 96)
    grain = Grain.under(photo, torch.Generator().manual_seed(0))
    rows, columns = slice(0, 64), slice(0, REACH + 96)
    with torch.inference_mode():
        style = model.style(code)
        features = encoded(encoder, photo)
        maps = model.maps({name: Moments.of(each) for name, each in features.items()}, style)
        whole = model.painted(photo, features, maps, grain, style)
        part, below = photo[..., rows, columns], grain.part(rows, columns)
        tile = model.painted(part, encoded(encoder, part), maps, below, style)
    torch.testing.assert_close(tile[..., :96], whole[..., :96], rtol=0, atol=1e-4)
    assert not torch.allclose(tile[..., -16:], whole[..., REACH + 80 : REACH + 96], atol=1e-4)


def test_one_picture_alone_is_painted_as_among_others(model: DraftModel) -> None:
    encoder = draft_encoder()
    photos = torch.cat([picture(64, 64, seed=seed) for seed in range(2)])
    draft = FeedForward(model, encoder)
    codes = torch.cat([draft.style_code(picture(90, 120, seed=seed)) for seed in (5, 6)])
    with torch.inference_mode():
        both = model(encoder, photos, codes, torch.Generator().manual_seed(0))
        alone = model(encoder, photos[:1], codes[:1], torch.Generator().manual_seed(0))
    torch.testing.assert_close(alone, both[:1], rtol=0, atol=1e-4)


def test_half_precision_is_hardly_seen(model: DraftModel) -> None:
    encoder = draft_encoder()
    half, single = (FeedForward(model, encoder, half=half) for half in (True, False))
    photo, code = picture(200, 260), single.style_code(picture(90, 120, seed=5))
    difference = (half.paint(photo, code) - single.paint(photo, code)).abs()
    assert 0 < float(difference.mean()) < 1 / 255
    assert float(difference.max()) < 10 / 255


def test_codes_mix_by_their_weights(draft: FeedForward, code: Tensor) -> None:
    other = draft.style_code(picture(64, 64, seed=9))
    torch.testing.assert_close(mixed([code, other], [3, 1]), 0.75 * code + 0.25 * other)
    torch.testing.assert_close(mixed([code], [0.2]), code)
    with pytest.raises(ValueError, match="positive"):
        mixed([code, other], [1, 0])


def test_the_brush_changes_the_code(draft: FeedForward) -> None:
    style = picture(200, 300, seed=2)
    assert not torch.allclose(draft.style_code(style, brush=2), draft.style_code(style))


def test_the_palette_follows_the_style(draft: FeedForward) -> None:
    """Before anything is learned the photo already comes in the style's mean colours."""
    torch.manual_seed(0)
    untrained = FeedForward(DraftModel(), draft_encoder())
    style = torch.tensor([0.7, 0.4, 0.3]).view(1, 3, 1, 1) + 0.1 * (picture(60, 60) - 0.5)
    painting = untrained.paint(picture(64, 64, seed=4), untrained.style_code(style))
    wanted = style.mean((0, 2, 3))
    torch.testing.assert_close(painting.mean((0, 2, 3)), wanted, rtol=0, atol=0.05)


def test_preset_codes_are_found_by_content_and_brush(model: DraftModel) -> None:
    code = torch.ones(1, model.code_length)
    draft = FeedForward(model, draft_encoder(), preset_codes={code_key("0a1b", 1.5): code})
    assert draft.preset_code("0a1b", 1.5) is code
    assert draft.preset_code("0a1b", 1.0) is None
    assert draft.preset_code("0a1c", 1.5) is None


@pytest.fixture
def packaged(model: DraftModel, tmp_path: Path) -> Path:
    """A folder of packaged weights with random networks in it."""
    torch.manual_seed(1)
    encoder = draft_encoder().stack.state_dict()
    files: dict[str, dict[str, Tensor]] = {
        "draft.safetensors": {name: t.half() for name, t in model.state_dict().items()},
        "draft_encoder.safetensors": {name: t.half() for name, t in encoder.items()},
        "preset_codes.safetensors": {"0" * 64: torch.ones(1, model.code_length)},
    }
    lines = ["[sha256]"]
    for name, tensors in files.items():
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, tmp_path / name)
        lines.append(f'"{name}" = "{file_sha256(tmp_path / name)}"')
    (tmp_path / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_packaged_weights_are_loaded(packaged: Path) -> None:
    draft = FeedForward.load(folder=packaged)
    painting = draft.paint(picture(32, 48), draft.style_code(picture(64, 64)))
    assert painting.shape == (1, 3, 32, 48)


@pytest.mark.parametrize("name", ["draft", "draft_encoder", "preset_codes"])
def test_missing_weights_are_named(packaged: Path, name: str) -> None:
    (packaged / f"{name}.safetensors").unlink()
    with pytest.raises(WeightsError, match=rf"{name}\.safetensors are missing"):
        FeedForward.load(folder=packaged)


@pytest.mark.parametrize("damage", ["truncated", "changed"])
def test_damaged_weights_are_refused(packaged: Path, damage: str) -> None:
    file = packaged / "draft.safetensors"
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    else:
        content[-1] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        FeedForward.load(folder=packaged)


def test_weights_of_another_network_are_refused(packaged: Path) -> None:
    file = packaged / "draft.safetensors"
    tensors = load_file(file)
    tensors["network.fine.weight"] = tensors["network.fine.weight"][:, :8].contiguous()
    before = file_sha256(file)
    save_file(tensors, file)
    manifest = packaged / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(before, file_sha256(file)))
    with pytest.raises(WeightsError, match="another version"):
        FeedForward.load(folder=packaged)
