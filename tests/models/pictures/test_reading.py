"""Pictures as strangers send them: each comes out right or is refused with one sentence."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from models.pictures.encoding import encode_jpeg, encode_png
from models.pictures.headers import inspect
from models.pictures.jpeg_scans import count_scans
from models.pictures.problems import MAX_PIXELS, MIN_SIDE_PX, PictureError, PictureProblem
from models.pictures.reading import open_picture
from models.pictures.sizes import fit_size

ORIENTATION, GPS = 0x0112, 0x8825


def _photo(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red on the left, blue on the right, a white bar along the upper border."""
    photo = Image.new("RGB", size, "red")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((size[0] // 2, 0, *size), fill="blue")
    draw.rectangle((0, 0, size[0], size[1] // 4), fill="white")
    return photo


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def _problem(path: Path) -> PictureProblem:
    with pytest.raises(PictureError) as refusal:
        open_picture(path)
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return refusal.value.problem


def _png_header(width: int, height: int) -> bytes:
    """A PNG that promises `width` x `height` pixels and has hardly any."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp"])
def test_usual_formats_are_opened(tmp_path: Path, suffix: str) -> None:
    path = _saved(tmp_path / f"photo.{suffix}", _photo())
    picture = open_picture(path)
    assert (picture.mode, picture.size) == ("RGB", (96, 64))
    red, green, blue = picture.getpixel((10, 50))  # type: ignore[misc]
    assert red > 200 > 60 > max(green, blue)
    facts = inspect(path)
    assert (facts.width_px, facts.height_px) == (96, 64)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert _problem(tmp_path / "none.jpg") is PictureProblem.MISSING
    assert _problem(tmp_path) is PictureProblem.MISSING


@pytest.mark.parametrize("content", [b"", b"hello", b"<html/>", b"PK\3\4" * 9])
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert _problem(path) is PictureProblem.NOT_A_PICTURE


@pytest.mark.parametrize(
    ("suffix", "problem"),
    [
        ("jpg", PictureProblem.DAMAGED),
        ("png", PictureProblem.DAMAGED),
        ("webp", PictureProblem.DAMAGED),
        ("avif", PictureProblem.DAMAGED),
        ("heic", PictureProblem.DAMAGED),
        ("jp2", PictureProblem.DAMAGED),
        ("tif", PictureProblem.DAMAGED),
    ],
)
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, problem: PictureProblem) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    path = _saved(tmp_path / f"photo.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:5000])
    assert _problem(path) is problem


@pytest.mark.parametrize("side", [9_000, 11_000, 20_000])
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    """Below, between and above the two limits of Pillow's own guard."""
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_header(side, side))
    assert side * side > MAX_PIXELS
    assert _problem(path) is PictureProblem.TOO_MANY_PIXELS
    with pytest.raises(PictureError):
        inspect(path)


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        ((3, 3), PictureProblem.TOO_SMALL),
        ((MIN_SIDE_PX - 1, 200), PictureProblem.TOO_SMALL),
        ((MIN_SIDE_PX, MIN_SIDE_PX * 21), PictureProblem.TOO_LONG),
    ],
)
def test_tiny_and_narrow_pictures(
    tmp_path: Path, size: tuple[int, int], problem: PictureProblem
) -> None:
    assert _problem(_saved(tmp_path / "photo.png", Image.new("RGB", size))) is problem


def test_the_smallest_and_the_longest_that_are_taken(tmp_path: Path) -> None:
    for size in ((MIN_SIDE_PX, MIN_SIDE_PX), (MIN_SIDE_PX * 20, MIN_SIDE_PX)):
        assert open_picture(_saved(tmp_path / "photo.png", Image.new("RGB", size))).size == size


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_moving_pictures_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "green")]
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    assert _problem(path) is PictureProblem.ANIMATED


def test_the_first_frame_of_a_phone_s_mpo(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    _photo().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    assert open_picture(path).getpixel((10, 4)) == pytest.approx((255, 255, 255), abs=4)


def test_cmyk_keeps_its_colours(tmp_path: Path) -> None:
    picture = open_picture(_saved(tmp_path / "photo.jpg", _photo().convert("CMYK"), quality=95))
    assert picture.getpixel((10, 50)) == pytest.approx((255, 0, 0), abs=12)
    assert picture.getpixel((10, 4)) == pytest.approx((255, 255, 255), abs=12)


def test_16_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (32, 1))
    picture = open_picture(_saved(tmp_path / "grey.png", Image.fromarray(ramp)))
    levels = np.asarray(picture)[0, :, 0]
    assert np.abs(levels.astype(int) - np.arange(256)).max() <= 1


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    for image in (Image.new("RGBA", (32, 32), (0, 0, 0, 0)), Image.new("LA", (32, 32), (0, 0))):
        picture = open_picture(_saved(tmp_path / "glass.png", image))
        assert picture.getextrema() == ((255, 255),) * 3
    half = open_picture(_saved(tmp_path / "half.png", Image.new("RGBA", (32, 32), (0, 0, 0, 128))))
    assert half.getpixel((5, 5)) == pytest.approx((127, 127, 127), abs=1)


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([0, 255, 0, 255, 0, 0])
    image.paste(1, (0, 0, 16, 32))
    picture = open_picture(_saved(tmp_path / "palette.png", image, transparency=0))
    assert picture.getpixel((4, 4)) == (255, 0, 0)
    assert picture.getpixel((28, 4)) == (255, 255, 255)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was held upright: turn a quarter clockwise to see it
    path = _saved(tmp_path / "photo.jpg", _photo(), exif=exif, quality=95)
    picture = open_picture(path)
    assert picture.size == (64, 96)
    assert picture.getpixel((60, 50)) == pytest.approx((255, 255, 255), abs=12)
    assert (inspect(path).width_px, inspect(path).height_px) == (64, 96)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = _saved(tmp_path / "photo.jpg", _photo(), exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff\x00")
    assert open_picture(path).size == (96, 64)


def test_a_colour_profile_is_applied_and_a_broken_one_ignored(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, lab, b"not a profile"):
        path = _saved(tmp_path / "photo.png", _photo(), icc_profile=profile)
        assert open_picture(path).getpixel((10, 50)) == pytest.approx((255, 0, 0), abs=2)


def test_large_jpegs_are_reduced_while_decoding(tmp_path: Path) -> None:
    path = _saved(tmp_path / "photo.jpg", _photo((2400, 1600)), quality=90)
    picture = open_picture(path, long_side_px=300)
    assert picture.size == (300, 200)
    assert picture.getpixel((20, 150)) == pytest.approx((255, 0, 0), abs=12)
    assert open_picture(path, long_side_px=5000).size == (2400, 1600)


def test_metadata_never_leaves(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    exif.get_ifd(GPS)[2] = (55.0, 45.0, 0.0)
    photo = _photo()
    photo.info["comment"] = b"a secret"
    path = _saved(tmp_path / "photo.jpg", photo, exif=exif, comment=b"a secret")
    assert b"a secret" in path.read_bytes()
    opened = open_picture(path)
    assert not opened.info
    photo.info |= {"exif": exif.tobytes(), "icc_profile": b"a secret"}
    for picture in (opened, photo):
        for written in (encode_jpeg(picture), encode_png(picture)):
            assert b"a secret" not in written
            with Image.open(BytesIO(written)) as again:
                assert not again.getexif()
                assert not {"exif", "icc_profile", "comment"} & set(again.info)


@pytest.mark.parametrize(
    ("size", "long_side_px", "expected"),
    [
        ((4000, 3000), 512, (512, 384)),
        ((3000, 4000), 512, (384, 512)),
        ((100, 50), 512, (512, 256)),
        ((320, 16), 64, (64, 3)),
    ],
)
def test_fit_size(size: tuple[int, int], long_side_px: int, expected: tuple[int, int]) -> None:
    assert fit_size(size, long_side_px) == expected


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_bytes_crash_the_opening(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A picture with bytes changed or cut away opens or is refused; there is no third way."""
    suffix = data.draw(st.sampled_from(["jpg", "png", "webp", "gif"]))
    path = tmp_path_factory.mktemp("broken") / f"photo.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    _photo((40, 24)).save(path, exif=exif)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with contextlib.suppress(PictureError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow grumbles about broken EXIF and goes on
        assert open_picture(path, long_side_px=32).mode == "RGB"


def test_pure_noise_can_be_encoded() -> None:
    """It takes more than a byte a pixel, more than Pillow's optimiser has room for."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    encoded = encode_jpeg(Image.fromarray(noise))
    assert len(encoded) > 600 * 800
    assert Image.open(BytesIO(encoded)).size == (800, 600)


def _progressive(path: Path, size: tuple[int, int], more_scans: int) -> Path:
    """A grey JPEG whose last scan comes `more_scans` times more: a few bytes each."""
    buffer = BytesIO()
    Image.new("L", size, 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    path.write_bytes(data[:-2] + more_scans * last + data[-2:])
    return path


def test_a_small_file_that_would_keep_the_decoder_busy_is_refused(tmp_path: Path) -> None:
    hostile = _progressive(tmp_path / "photo.jpg", (7000, 7000), more_scans=300)
    assert hostile.stat().st_size < 300_000
    assert _problem(hostile) is PictureProblem.TOO_MUCH_WORK
    with pytest.raises(PictureError):
        inspect(hostile)


@pytest.mark.parametrize(("size", "more_scans"), [((7000, 7000), 0), ((200, 200), 300)])
def test_progressive_pictures_are_opened(
    tmp_path: Path, size: tuple[int, int], more_scans: int
) -> None:
    path = _progressive(tmp_path / "photo.jpg", size, more_scans)
    assert open_picture(path, long_side_px=64).size == (64, 64)


@pytest.mark.parametrize(
    ("content", "scans"),
    [(b"", 0), (b"\xff", 0), (b"\xff\xda", 1), (b"\xff\xd8\xff\xe1\x00", 0), (b"\xff" * 99, 0)],
)
def test_scans_are_counted_in_whatever_there_is(tmp_path: Path, content: bytes, scans: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert count_scans(path) == scans


def test_scans_of_a_thumbnail_are_not_the_picture_s(tmp_path: Path) -> None:
    thumbnail = _progressive(tmp_path / "thumbnail.jpg", (64, 64), more_scans=50).read_bytes()
    path = _saved(tmp_path / "photo.jpg", _photo(), exif=b"Exif\0\0" + thumbnail)
    assert count_scans(path) == 1


def _strange(mode: str, size: tuple[int, int]) -> Image.Image:
    """A large picture of a mode that has to be converted."""
    grey = Image.linear_gradient("L").resize(size)
    match mode:
        case "I;16":
            return Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        case "P":
            return _photo(size).convert("P")
        case "PA":
            return Image.merge("LA", [grey, grey.rotate(90)]).convert("PA")
    return Image.merge(mode, [grey] * (len(mode) - 1) + [grey.rotate(90)])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "P"])
def test_a_large_picture_is_converted_as_a_small_one_is(tmp_path: Path, mode: str) -> None:
    """Strip by strip, which must not show."""
    path = _saved(tmp_path / "large.png", _strange(mode, (2300, 1701)))
    whole = open_picture(path).resize((230, 170), Image.Resampling.LANCZOS, reducing_gap=3.0)
    reduced = open_picture(path, long_side_px=230)
    assert reduced.size == whole.size
    difference = np.asarray(reduced, dtype=float) - np.asarray(whole, dtype=float)
    assert np.abs(difference).mean() < 1
    assert np.abs(difference)[20:-20, 20:-20].max() < 20


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_a_large_picture_is_never_there_twice(tmp_path: Path, mode: str) -> None:
    side = 5000
    path = _saved(tmp_path / "large.png", _strange(mode, (side, side)), compress_level=1)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from models.pictures.reading import open_picture\n"
        "def peak():\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(status.split('VmHWM:')[1].split()[0]) * 1024\n"
        "before = peak()\n"
        "open_picture(Path(sys.argv[1]), long_side_px=64)\n"
        "print(peak() - before)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1.4 * 4 * side * side
