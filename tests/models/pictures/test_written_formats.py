"""Pictures as files: the format of the name, sRGB, and nothing of where they come from."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from models.pictures.written_formats import (
    SUFFIXES,
    PictureFormat,
    UnknownFormatError,
    bytes_at_most,
    encode_picture,
    format_of,
    save_picture,
    suffix_of,
)


def _photo() -> Image.Image:
    return Image.linear_gradient("L").resize((60, 40)).convert("RGB")


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".JPG", ".Webp"])
def test_saving_follows_the_name(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    save_picture(_photo(), path)
    with Image.open(path) as image:
        assert image.format == SUFFIXES[suffix.lower()].upper()
        assert image.size == (60, 40)


@pytest.mark.parametrize("name", ["a.heic", "a.bmp", "a", ".jpg", "a.jpg.txt"])
def test_no_picture_is_written_under_another_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"must end in \.jpg, .* or \.avif"):
        save_picture(_photo(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", PictureFormat)
def test_a_file_says_srgb_and_nothing_of_the_photo(form: PictureFormat) -> None:
    photo = _photo()
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    photo.info |= {"exif": exif.tobytes(), "comment": b"a secret", "xmp": b"a secret"}
    written = encode_picture(photo, form)
    assert b"a secret" not in written
    assert written == encode_picture(photo, form)
    assert len(written) <= bytes_at_most(form, 60 * 40)
    assert format_of(Path("a").with_suffix(suffix_of(form))) is form
    with Image.open(BytesIO(written)) as image:
        profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        assert not {"exif", "comment", "xmp"} & set(image.info)
        if form is not PictureFormat.TIFF:  # whose own tags are what Pillow shows as EXIF
            assert not image.getexif()
