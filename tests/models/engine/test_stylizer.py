"""The engine from file to painting, with real networks of test size."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops
from torch import Tensor

from models.devices.threads import computing_threads
from models.devices.torchvision_compat import vgg16_modules
from models.draft.drafter import Drafter, load_drafter
from models.draft.feedforward import FeedForward
from models.draft.model import DraftModel
from models.draft.network import draft_encoder
from models.encoders import Encoder, slim_encoder, vgg_modules
from models.engine.examination import examine_engine
from models.engine.loading import load_stylizer
from models.engine.stylizer import TorchStylizer
from models.faces import load_face_finder
from models.interface import (
    MIN_SIZE_PX,
    DeviceLostError,
    EngineError,
    Note,
    OutOfMemoryError,
    Quality,
    StepReport,
    Style,
    StyleOptions,
)
from models.pictures.problems import PictureError, PictureProblem
from models.pictures.reading import open_picture
from tests.models.tiny_encoder import WIDTHS, photo_file, style_file, tiny_encoder

CPU = torch.device("cpu")


def _stylizer(encoder: Encoder | None = None, *, drafts: bool = False) -> TorchStylizer:
    return TorchStylizer(
        encoder or tiny_encoder(), device=CPU, drafter=_drafter() if drafts else None
    )


def _drafter() -> Drafter:
    """The draft network, not trained: what it paints is no beauty, but the way is the real one."""
    torch.manual_seed(0)
    model = DraftModel()
    torch.nn.init.normal_(model.network.last.weight, std=0.01)
    return Drafter(FeedForward(model, draft_encoder()))


def _options(**changes: object) -> StyleOptions:
    return StyleOptions(**({"size_px": 64, "steps": 8} | changes))  # type: ignore[arg-type]


def _distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.asarray(ImageChops.difference(one, other)).mean())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return photo_file(tmp_path / "photo.png")


@pytest.fixture
def styles(tmp_path: Path) -> list[Style]:
    return [Style(style_file(tmp_path / "style.png"))]


def test_a_photo_becomes_a_painting(photo: Path, styles: list[Style]) -> None:
    reports: list[StepReport] = []
    painting = _stylizer().stylize(photo, styles, _options(), on_step=reports.append)
    assert painting.picture.mode == "RGB"
    assert painting.picture.size == (64, 48)
    assert painting.steps == 8
    assert painting.notes == frozenset()
    assert [report.step for report in reports] == list(range(1, 9))
    assert {report.steps for report in reports} == {8}
    assert all(report.loss is not None for report in reports)
    assert reports[-1].seconds_left == pytest.approx(0)
    assert 0 < reports[0].seconds_spent < painting.seconds
    shown = [report.picture for report in reports if report.picture is not None]
    assert len(shown) == 3
    assert [report.step for report in reports if report.frame is not None] == list(range(1, 8))
    assert all(report.picture in (None, report.frame) for report in reports)
    assert {picture.size for picture in shown} == {(64, 48)}
    assert _distance(painting.picture, open_picture(photo, long_side_px=64)) > 2


def test_same_input_same_painting(photo: Path, styles: list[Style]) -> None:
    """Also from another stylizer, and from one that remembers the style."""
    stylizer = _stylizer()
    first, second = (stylizer.stylize(photo, styles, _options()) for _ in range(2))
    third = _stylizer().stylize(photo, styles, _options())
    assert first.picture.tobytes() == second.picture.tobytes() == third.picture.tobytes()
    other = stylizer.stylize(photo, styles, _options(seed=-5))
    assert other.picture.tobytes() != first.picture.tobytes()


def test_it_paints_in_a_worker_thread_with_gradients_switched_off(
    photo: Path, styles: list[Style]
) -> None:
    stylizer = _stylizer()
    expected = stylizer.stylize(photo, styles, _options()).picture.tobytes()
    painted = []

    def work() -> None:
        with torch.inference_mode():
            painted.append(stylizer.stylize(photo, styles, _options()).picture.tobytes())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert painted == [expected]


def test_strength_leads_from_the_photo_to_the_style(photo: Path, styles: list[Style]) -> None:
    stylizer = _stylizer()
    original = open_picture(photo)
    paintings = [
        stylizer.stylize(photo, styles, _options(size_px=96, steps=30, strength=strength)).picture
        for strength in (0, 20, 50, 100)
    ]
    assert paintings[0].tobytes() == original.tobytes()
    distances = [_distance(painting, original) for painting in paintings]
    assert distances == sorted(distances)
    assert distances[1] < 0.6 * distances[3]


def test_the_photo_s_colours_stay_if_wished(photo: Path, styles: list[Style]) -> None:
    painting = _stylizer().stylize(photo, styles, _options(steps=20, keep_colors=True)).picture
    freely = _stylizer().stylize(photo, styles, _options(steps=20)).picture
    original = open_picture(photo, long_side_px=64)

    def hues(picture: Image.Image) -> Image.Image:
        return Image.merge("RGB", [picture.convert("YCbCr").getchannel(k) for k in (1, 1, 2)])

    assert _distance(hues(painting), hues(original)) < 0.5 * _distance(hues(freely), hues(original))


def test_every_thread_paints_with_as_many_of_torchs_as_there_were_at_the_start(
    photo: Path, styles: list[Style]
) -> None:
    with computing_threads(2):
        stylizer = _stylizer()
    counts: list[int] = []
    # As in a thread that begins to paint while another one leaves room for the rest of a clip.
    with computing_threads(1), ThreadPoolExecutor(1) as thread:
        thread.submit(
            stylizer.stylize,
            photo,
            styles,
            _options(steps=2),
            on_step=lambda _: counts.append(torch.get_num_threads()),
        ).result()
    assert counts == [2, 2]


FACE = Path(__file__).parents[3] / "styles" / "samples" / "face.jpg"


def _stylizer_that_finds_faces(*, drafts: bool = False) -> TorchStylizer:
    return TorchStylizer(
        tiny_encoder(),
        device=CPU,
        drafter=_drafter() if drafts else None,
        face_finder=load_face_finder(),
    )


def _head(picture: Image.Image) -> Image.Image:
    """The face of the sample photo at 128 px."""
    return picture.crop((44, 17, 69, 43))


@pytest.mark.parametrize("quality", [Quality.STANDARD, Quality.DRAFT])
def test_a_natural_face_is_nearer_to_the_photo_s(quality: Quality, styles: list[Style]) -> None:
    stylizer = _stylizer_that_finds_faces(drafts=quality is Quality.DRAFT)
    options = _options(size_px=128, steps=30, quality=quality)
    natural = stylizer.stylize(FACE, styles, options)
    painted = stylizer.stylize(FACE, styles, replace(options, keep_faces=False))
    assert natural.faces == painted.faces == 1
    photo = _detail(_head(open_picture(FACE, long_side_px=128)))
    near, far = (
        np.corrcoef(photo, _detail(_head(each.picture)))[0, 1] for each in (natural, painted)
    )
    assert near > far + 0.1
    # Not a photo pasted in, and nothing else is another picture for it.
    original = open_picture(FACE, long_side_px=128)
    assert _distance(_head(natural.picture), _head(original)) > 5
    corner = (0, 80, 128, 128)
    assert _distance(natural.picture.crop(corner), painted.picture.crop(corner)) < 0.5 * _distance(
        painted.picture.crop(corner), original.crop(corner)
    )


def _detail(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Light and dark, whatever the colours."""
    return np.asarray(picture.convert("L"), dtype=np.float64).ravel()


@pytest.mark.parametrize("quality", [Quality.STANDARD, Quality.DRAFT])
def test_without_a_face_the_picture_is_the_same_bit_for_bit(
    quality: Quality, photo: Path, styles: list[Style]
) -> None:
    drafts = quality is Quality.DRAFT
    before = _stylizer(drafts=drafts).stylize(photo, styles, _options(quality=quality))
    for keep in (True, False):
        options = _options(quality=quality, keep_faces=keep)
        after = _stylizer_that_finds_faces(drafts=drafts).stylize(photo, styles, options)
        assert after.faces == 0
        assert after.picture.tobytes() == before.picture.tobytes()


def test_a_photo_s_orientation_is_seen_to_before_faces_are(
    tmp_path: Path, styles: list[Style]
) -> None:
    sideways = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(FACE) as upright:
        upright.rotate(90).save(sideways, exif=exif)
    found = _stylizer_that_finds_faces().stylize(sideways, styles, _options(size_px=256, steps=1))
    assert found.faces == 1


def test_brush_and_mixtures_change_the_painting(
    photo: Path, styles: list[Style], tmp_path: Path
) -> None:
    stylizer = _stylizer()
    other = Style(style_file(tmp_path / "other.png", seed=5), 2.0)

    def paint(mixture: list[Style], brush: float = 1.0) -> bytes:
        return stylizer.stylize(photo, mixture, _options(brush=brush)).picture.tobytes()

    results = {paint(styles), paint(styles, 0.5), paint(styles, 3.0), paint([other])}
    results.add(paint([*styles, other]))
    assert len(results) == 5
    assert paint([Style(styles[0].picture, 0.25)]) == paint(styles)


@pytest.mark.parametrize("size", [(16, 16), (320, 16), (16, 320)])
def test_tiny_and_narrow_pictures(
    tmp_path: Path, styles: list[Style], size: tuple[int, int]
) -> None:
    narrow = photo_file(tmp_path / "narrow.png", size)
    for drafts in (False, True):
        painting = _stylizer(drafts=drafts).stylize(
            narrow, [Style(narrow), *styles], _options(steps=2)
        )
        assert max(painting.picture.size) == 64
        wide, high = painting.picture.size
        assert wide / high == pytest.approx(size[0] / size[1], rel=0.1)


def test_the_draft_comes_first_and_is_painted_over(photo: Path, styles: list[Style]) -> None:
    reports: list[StepReport] = []
    stylizer = _stylizer(drafts=True)
    painting = stylizer.stylize(photo, styles, _options(), on_step=reports.append)
    draft = stylizer.stylize(photo, styles, _options(quality=Quality.DRAFT, steps=None))
    assert reports[0].step == 0
    assert reports[0].picture is not None
    assert reports[0].picture.tobytes() == draft.picture.tobytes()
    assert draft.steps == 0
    assert painting.steps == 8
    assert painting.picture.tobytes() != draft.picture.tobytes()


def test_stop_delivers_the_picture_as_it_stands(photo: Path, styles: list[Style]) -> None:
    stop = threading.Event()
    reports: list[StepReport] = []

    def watch(report: StepReport) -> None:
        reports.append(report)
        if report.step == 3:
            stop.set()

    painting = _stylizer().stylize(photo, styles, _options(), on_step=watch, stop=stop)
    assert painting.steps == len(reports) == 3
    assert painting.notes == {Note.STOPPED}
    assert painting.picture.size == (64, 48)


def test_bad_pictures_are_refused(photo: Path, styles: list[Style], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(PictureError) as refusal:
        _stylizer().stylize(broken, styles, _options())
    assert refusal.value.problem is PictureProblem.NOT_A_PICTURE
    for drafts in (False, True):
        with pytest.raises(PictureError) as refusal:
            _stylizer(drafts=drafts).stylize(photo, [Style(tmp_path / "none.png")], _options())
        assert refusal.value.problem is PictureProblem.MISSING


class _FailingEncoder(Encoder):
    """Raises what a GPU raises, for pictures of more than so many pixels or after some passes."""

    def __init__(self, error: Exception, *, max_pixels: int = 0, passes: int = 0) -> None:
        super().__init__(vgg_modules(WIDTHS))
        self.load_state_dict(tiny_encoder().state_dict())
        self.requires_grad_(False)
        self._error, self._max_pixels, self._passes = error, max_pixels, passes

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        self._passes -= 1
        if self._passes < 0 and image.shape[-2] * image.shape[-1] > self._max_pixels:
            raise self._error
        return super().forward(image, layers)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
)
def test_out_of_memory_paints_smaller_and_says_so(
    photo: Path, styles: list[Style], error: Exception
) -> None:
    encoder = _FailingEncoder(error, max_pixels=72 * 72)
    painting = _stylizer(encoder).stylize(photo, styles, _options(size_px=128, steps=2))
    assert painting.notes == {Note.SHRUNK}
    assert painting.options.size_px == max(painting.picture.size)
    assert MIN_SIZE_PX <= painting.options.size_px < 90


def test_no_memory_at_all_is_an_error_and_no_loop(photo: Path, styles: list[Style]) -> None:
    encoder = _FailingEncoder(torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(OutOfMemoryError):
        _stylizer(encoder).stylize(photo, styles, _options(size_px=128))


def test_a_lost_gpu_is_told_from_other_errors(photo: Path, styles: list[Style]) -> None:
    lost = torch.AcceleratorError("CUDA error: device-side assert triggered")
    with pytest.raises(DeviceLostError):
        _stylizer(_FailingEncoder(lost, passes=4)).stylize(photo, styles, _options())
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        _stylizer(_FailingEncoder(RuntimeError("a mistake of ours"))).stylize(
            photo, styles, _options()
        )


def test_a_picture_that_diverges_is_delivered_as_it_last_was(
    photo: Path, styles: list[Style], caplog: pytest.LogCaptureFixture
) -> None:
    encoder = tiny_encoder()
    stylizer = _stylizer(encoder)
    stop = threading.Event()

    def stop_after_five(report: StepReport) -> None:
        if report.step == 5:
            stop.set()

    good = stylizer.stylize(photo, styles, _options(), on_step=stop_after_five, stop=stop)

    def break_after_five(report: StepReport) -> None:
        if report.step == 5:  # a bit flips in the GPU's memory
            encoder.get_parameter("stack.conv1_1.weight").fill_(float("nan"))

    painting = stylizer.stylize(photo, styles, _options(), on_step=break_after_five)
    assert painting.notes == {Note.DIVERGED}
    assert painting.steps == 5
    assert painting.picture.tobytes() == good.picture.tobytes()
    assert "diverged after 5 steps" in caplog.text


@pytest.mark.parametrize("make", [slim_encoder, lambda: Encoder(vgg16_modules())])
def test_borders_look_like_any_other_place(make: Callable[[], Encoder]) -> None:
    """Else paintings get a frame."""
    encoder = make()
    plain = torch.full((1, 3, 64, 48), 0.3)
    with torch.no_grad():
        for features in encoder(plain, ["relu1_1", "relu3_1", "relu5_1"]).values():
            middle = features[..., features.shape[-2] // 2, features.shape[-1] // 2]
            torch.testing.assert_close(features, middle[..., None, None].expand_as(features))


def test_a_draft_network_that_can_t_be_used_costs_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert load_drafter(CPU, folder=tmp_path) is None
    assert len(caplog.records) == 1


def test_without_the_draft_network_a_draft_is_a_short_optimisation(
    photo: Path, styles: list[Style]
) -> None:
    options = {quality: _options(quality=quality, steps=None) for quality in Quality}
    steps = [_stylizer().stylize(photo, styles, options[quality]).steps for quality in Quality]
    assert 0 < steps[0] < steps[1] < steps[2]


def test_the_packaged_engine_paints_on_this_machine(photo: Path, styles: list[Style]) -> None:
    stylizer = load_stylizer(encoder="slim", device="cpu")
    painting = stylizer.stylize(photo, styles, _options(steps=4))
    assert painting.steps == 4


def test_vgg16_without_a_network_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(EngineError, match="VGG16") as refusal:
        load_stylizer(encoder="vgg16", device="cpu", cache_dir=tmp_path)
    assert "\n" not in str(refusal.value)


def test_examining_the_engine_finds_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    findings = list(examine_engine(encoder="vgg16", device="cpu", cache_dir=tmp_path))
    lacking = [finding for finding in findings if not finding.good]
    assert any("VGG16" in finding.what for finding in lacking)
    assert all(finding.advice for finding in lacking)
    assert any("processor" in finding.what for finding in findings if finding.good)
    assert not any(finding.fatal for finding in findings)
