"""Every still picture that people really send, and what some send instead."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from models.pictures.formats import set_up_pillow, webp_pixels
from models.pictures.headers import inspect, max_pixels_of
from models.pictures.problems import MAX_JPEG_PIXELS, MAX_PIXELS, PictureError, PictureProblem
from models.pictures.reading import open_picture, prepare_picture
from tests.models.icc_profiles import DISPLAY_P3, matrix_profile

RED, BLUE = (255, 0, 0), (0, 0, 255)
ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def _heif() -> None:
    set_up_pillow()  # the tests write it, too


def photo(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def problem_of(path: Path) -> PictureProblem:
    with pytest.raises(PictureError) as refusal:
        open_picture(path, long_side_px=256)
    return refusal.value.problem


def left_and_right(path: Path) -> tuple[Any, Any]:
    picture = open_picture(path)
    assert picture.mode == "RGB"
    return picture.getpixel((8, 32)), picture.getpixel((picture.width - 8, 32))


@pytest.mark.parametrize(
    ("suffix", "image", "options"),
    [
        ("heic", photo(), {}),
        ("heif", photo().convert("RGBA"), {}),
        ("avif", photo(), {}),
        ("tif", photo(), {}),
        ("tif", photo(), {"compression": "jpeg"}),
        ("tif", photo().convert("CMYK"), {"compression": "tiff_lzw"}),
        ("tif", photo().convert("P"), {}),
        ("jp2", photo(), {}),
        ("j2k", photo().convert("RGBA"), {}),
        ("bmp", photo(), {}),
        ("gif", photo(), {}),
    ],
)
def test_a_format_that_people_send(
    tmp_path: Path, suffix: str, image: Image.Image, options: dict[str, Any]
) -> None:
    path = saved(tmp_path / f"photo.{suffix}", image, **options)
    left, right = left_and_right(path)
    assert left == pytest.approx(RED, abs=6)
    assert right == pytest.approx(BLUE, abs=6)
    assert (inspect(path).width_px, inspect(path).height_px) == (96, 64)


@pytest.mark.parametrize("brand", [b"mif1", b"heix", b"hevc", b"msf1"])
def test_a_heic_by_another_of_its_names(tmp_path: Path, brand: bytes) -> None:
    path = saved(tmp_path / "photo.heic", photo())
    data = bytearray(path.read_bytes())
    data[8:12] = brand
    path.write_bytes(data)
    assert left_and_right(path)[0] == pytest.approx(RED, abs=6)


@pytest.mark.parametrize("brand", [b"hevc", b"msf1"])
def test_a_heic_without_a_still_picture_moves(tmp_path: Path, brand: bytes) -> None:
    film = tmp_path / "film.mp4"
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("libx265", 5, {"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for grey in (50, 100, 150):
            picture = np.full((96, 128, 3), grey, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    data = bytearray(film.read_bytes())
    data[8:12] = brand
    path = tmp_path / "burst.heic"
    path.write_bytes(data)
    assert problem_of(path) is PictureProblem.ANIMATED


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "heic", "tif"])
def test_a_camera_held_upright_is_turned_once(tmp_path: Path, suffix: str) -> None:
    """HEIC and AVIF say it twice: in a box of their own, and in EXIF as the camera wrote it."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    options = {"tiffinfo": {ORIENTATION: 6}} if suffix == "tif" else {"exif": exif.tobytes()}
    path = saved(tmp_path / f"photo.{suffix}", photo(), **options)
    assert (b"irot" in path.read_bytes()) == (suffix in {"heic", "avif"})
    picture = open_picture(path)
    assert picture.size == (64, 96)
    assert picture.getpixel((32, 8)) == pytest.approx(RED, abs=6)
    assert picture.getpixel((32, 88)) == pytest.approx(BLUE, abs=6)
    assert (inspect(path).width_px, inspect(path).height_px) == (64, 96)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("jpg", {"quality": 97, "subsampling": 0}),
        ("png", {}),
        ("webp", {"lossless": True}),
        ("tif", {}),
        ("avif", {"quality": 97, "subsampling": "4:4:4"}),
        ("heic", {"quality": -1, "chroma": 444}),
    ],
)
@pytest.mark.parametrize(
    ("in_p3", "in_srgb"),
    [((234, 51, 35), (255, 0, 0)), ((117, 251, 76), (0, 255, 0)), ((128, 128, 128),) * 2],
)
def test_a_wide_gamut_phone_s_colours_are_kept(
    tmp_path: Path,
    suffix: str,
    options: dict[str, Any],
    in_p3: tuple[int, int, int],
    in_srgb: tuple[int, int, int],
) -> None:
    profile = matrix_profile(DISPLAY_P3)
    image = Image.new("RGB", (64, 64), in_p3)
    path = saved(tmp_path / f"photo.{suffix}", image, icc_profile=profile, **options)
    assert open_picture(path).getpixel((32, 32)) == pytest.approx(in_srgb, abs=3)
    prepare_picture(path, tmp_path / "prepared", long_side_px=32)
    # A JPEG of full green has its own rounding on top.
    assert open_picture(tmp_path / "prepared").getpixel((9, 9)) == pytest.approx(in_srgb, abs=4)


def grey_tiff(path: Path, values: Any) -> Path:
    return saved(path, Image.fromarray(np.asarray(values)))


@pytest.mark.parametrize(
    ("value", "grey"),
    [
        (np.uint16(32896), 128),
        (np.int32(32896), 128),
        (np.int32(2**30), 64),
        (np.float32(0.5), 127),
        (np.float32(100.0), 100),
        (np.float32(np.nan), 0),
        (np.float32(-np.inf), 0),
    ],
)
def test_a_tiff_of_more_than_8_bits(tmp_path: Path, value: Any, grey: int) -> None:
    path = grey_tiff(tmp_path / "grey.tif", np.full((32, 32), value))
    assert open_picture(path).getpixel((9, 9)) == pytest.approx((grey,) * 3, abs=1)


def test_a_float_tiff_of_scientists_keeps_its_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1000, 64, dtype=np.float32), (64, 1))
    ramp[0, 0] = np.inf
    picture = open_picture(grey_tiff(tmp_path / "grey.tif", ramp))
    assert picture.convert("L").crop((0, 1, 64, 64)).getextrema() == (0, 255)


def test_a_phone_s_200_megapixels_are_reduced_while_they_are_decoded(tmp_path: Path) -> None:
    """The memory that it promises is what its reduced size takes."""
    path = saved(tmp_path / "photo.jpg", Image.new("L", (16_320, 12_240), 128), quality=10)
    facts = inspect(path, long_side_px=1024)
    assert facts.width_px * facts.height_px > 3 * MAX_PIXELS
    assert facts.work_bytes < 50_000_000
    assert open_picture(path, long_side_px=1024).size == (1024, 768)
    assert open_picture(path).size == (8160, 6120), "never whole"


@pytest.mark.parametrize(
    ("name", "width_px", "options", "max_pixels"),
    [
        ("photo.jpg", 15_000, {}, MAX_PIXELS),
        ("photo.jpg", 8_100, {"progressive": True}, MAX_PIXELS),
        ("photo.png", 8_100, {}, MAX_PIXELS),
        ("photo.jp2", 5_500, {"tile_size": (1024, 1024)}, max_pixels_of("JPEG2000")),
    ],
)
def test_the_sentence_says_what_the_limit_is(
    tmp_path: Path, name: str, width_px: int, options: dict[str, Any], max_pixels: int
) -> None:
    path = saved(tmp_path / name, Image.new("L", (width_px, width_px)), **options)
    with pytest.raises(PictureError) as refusal:
        inspect(path)
    assert refusal.value.problem is PictureProblem.TOO_MANY_PIXELS
    for limit in (max_pixels, MAX_JPEG_PIXELS):
        assert f" {limit // 1_000_000}" in str(refusal.value)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_s_size_is_known_before_it_is_opened(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    image = Image.linear_gradient("L").resize((300, 200)).convert(mode)
    image.putalpha(image.getchannel(0)) if mode == "RGBA" else None
    path = saved(tmp_path / "photo.webp", image, **options)
    assert webp_pixels(path.read_bytes()) == 300 * 200


def test_a_large_webp_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = saved(tmp_path / "photo.webp", photo(), lossless=True)
    data = bytearray(path.read_bytes())
    data[21:25] = struct.pack("<I", 16_382 | 16_382 << 14)
    path.write_bytes(data)
    with pytest.raises(PictureError) as refusal:
        inspect(path)
    assert refusal.value.problem is PictureProblem.TOO_MANY_PIXELS
    assert refusal.value.max_pixels == max_pixels_of("WEBP")


def test_the_first_of_a_thousand_pages(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (20, 20))] * 1000
    path = saved(tmp_path / "pages.tif", photo(), save_all=True, append_images=pages)
    assert left_and_right(path) == (RED, BLUE)


def test_the_main_picture_of_a_heic_with_several(tmp_path: Path) -> None:
    several = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "green"))
    several.add_from_pillow(photo())
    several.save(tmp_path / "photo.heic", primary_index=1)
    assert left_and_right(tmp_path / "photo.heic")[0] == pytest.approx(RED, abs=6)


def test_an_animated_avif_moves(tmp_path: Path) -> None:
    path = tmp_path / "moving.avif"
    photo().save(path, save_all=True, append_images=[Image.new("RGB", (96, 64))])
    assert problem_of(path) is PictureProblem.ANIMATED


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("suffix", ["heic", "avif", "jp2", "webp", "jpg"])
def test_a_file_that_was_cut_off(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    path = saved(tmp_path / f"photo.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert problem_of(path) is PictureProblem.DAMAGED


def test_absurd_tiles_are_one_sentence(tmp_path: Path) -> None:
    """25 million tiles of one pixel, as the header says."""
    path = saved(tmp_path / "photo.j2k", photo())
    data = bytearray(path.read_bytes())
    place = data.index(b"\xff\x51") + 6
    struct.pack_into(">8I", data, place, 5000, 5000, 0, 0, 1, 1, 0, 0)
    path.write_bytes(data)
    assert problem_of(path) is PictureProblem.DAMAGED


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (b'<?xml version="1.0"?>\n<!-- me -->\n<svg xmlns="">', PictureProblem.DRAWING),
        (b"  <svg/>", PictureProblem.DRAWING),
        (b"%PDF-1.7", PictureProblem.DRAWING),
        (b"%!PS-Adobe-3.0 EPSF-3.0", PictureProblem.DRAWING),
        (b"8BPS\0\1" + bytes(20), PictureProblem.LAYERS),
        (b"gimp xcf v011\0", PictureProblem.LAYERS),
        (b"PK\3\4" + bytes(26) + b"mimetypeimage/openraster", PictureProblem.LAYERS),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(20), PictureProblem.RAW),
        (b"\0\0\0\x18ftypcrx " + bytes(20), PictureProblem.RAW),
        (b"FUJIFILMCCD-RAW 0201", PictureProblem.RAW),
        (b"\0\0\0\x20ftypisom" + bytes(20), PictureProblem.VIDEO),
        (b"\0\0\0\x14ftypqt  " + bytes(20), PictureProblem.VIDEO),
        (b"\x1aE\xdf\xa3" + bytes(20), PictureProblem.VIDEO),
        (b"PK\3\4" + bytes(60), PictureProblem.NOT_A_PICTURE),
    ],
)
def test_what_is_sent_instead_of_a_picture(
    tmp_path: Path, head: bytes, problem: PictureProblem
) -> None:
    (tmp_path / "photo.jpg").write_bytes(head)
    assert problem_of(tmp_path / "photo.jpg") is problem


@pytest.mark.parametrize("tags", [{50706: b"\1\4\0\0"}, {254: 1, 330: 8}])
def test_a_raw_file_is_not_taken_for_its_thumbnail(tmp_path: Path, tags: dict[int, Any]) -> None:
    """DNG, and NEF or ARW: to look at they are TIFFs with a small picture first."""
    path = saved(tmp_path / "photo.tif", photo(), tiffinfo=tags)
    assert problem_of(path) is PictureProblem.RAW


def test_prepared_pictures_are_of_the_kind_that_suits(tmp_path: Path) -> None:
    for suffix, form in (("png", "PNG"), ("tif", "PNG"), ("jpg", "JPEG"), ("heic", "JPEG")):
        path = saved(tmp_path / f"photo.{suffix}", photo((200, 100)))
        prepare_picture(path, tmp_path / "prepared", long_side_px=50)
        with Image.open(tmp_path / "prepared") as prepared:
            assert (prepared.format, prepared.size, prepared.mode) == (form, (50, 25), "RGB")
