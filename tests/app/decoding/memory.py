"""`python -m tests.app.decoding.memory`: what the largest pictures of each kind take to make ready.

Each in a decoder process of its own, as strangers' pictures are; prints a table for docs/faults.md.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from app.commands.bench_crowd import process_cpu_s
from app.decoding.pool import DecoderPool
from app.decoding.process import DecoderProcess
from models.interface import MAX_SIZE_PX
from models.pictures.formats import set_up_pillow
from models.pictures.headers import inspect, max_pixels_of
from models.pictures.problems import MAX_JPEG_PIXELS, MAX_PIXELS

MB = 1_000_000


@dataclass(frozen=True)
class Kind:
    """A picture as large as is taken, and how it is saved."""

    name: str
    mode: str
    format: str
    pixels: int
    options: dict[str, Any]


def kinds() -> list[Kind]:
    def kind(name: str, mode: str, form: str, pixels: int = MAX_PIXELS, **options: Any) -> Kind:
        return Kind(name, mode, form, pixels, options)

    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        kind("PNG, RGBA", "RGBA", "PNG"),
        kind("PNG, RGBA, on its side", "RGBA", "PNG", exif=exif),
        kind("PNG, RGB with a transparent colour", "RGB", "PNG", transparency=(1, 2, 3)),
        kind("PNG, LA", "LA", "PNG"),
        kind("PNG, 16 bits", "I;16", "PNG"),
        kind("PNG, palette", "P", "PNG", transparency=0),
        kind("JPEG, one scan", "RGB", "JPEG", MAX_JPEG_PIXELS),
        kind("JPEG, progressive, 4:4:4", "RGB", "JPEG", progressive=True, subsampling=0),
        kind("JPEG, progressive, CMYK", "CMYK", "JPEG", MAX_PIXELS // 2, progressive=True),
        kind("GIF", "P", "GIF", transparency=0),
        kind("TIFF, RGB", "RGB", "TIFF", compression="tiff_lzw"),
        kind("TIFF, on its side", "RGB", "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
        kind("TIFF, float", "F", "TIFF", compression="tiff_lzw"),
        kind("WEBP, RGBA", "RGBA", "WEBP", max_pixels_of("WEBP"), method=0, quality=10),
        kind("AVIF, RGBA, 4:4:4", "RGBA", "AVIF", max_pixels_of("AVIF"), subsampling="4:4:4"),
        kind("HEIC, RGBA", "RGBA", "HEIF", max_pixels_of("HEIF")),
        kind("JPEG 2000, RGBA", "RGBA", "JPEG2000", max_pixels_of("JPEG2000")),
    ]


async def main() -> None:
    """Make, measure and print them one by one."""
    set_up_pillow()
    print("| picture | megapixels | file, kB | promised, MB | peak, MB | seconds of CPU |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- |")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds():
            path = Path(folder) / "picture"
            await asyncio.to_thread(_make, kind, path)
            print(await _measured(kind, path), flush=True)  # noqa: T201


def _make(kind: Kind, path: Path) -> None:
    # A photo's shape; a little less than the limit, for sides are whole numbers.
    width = int((kind.pixels * 4 / 3) ** 0.5)
    height = kind.pixels // width
    picture = Image.new(kind.mode, (width, height))
    picture.save(path, kind.format, **kind.options)


async def _measured(kind: Kind, path: Path) -> str:
    promised = await asyncio.to_thread(inspect, path, long_side_px=MAX_SIZE_PX)
    decoder = await DecoderProcess.start()
    began_s = process_cpu_s(decoder.pid)
    await _prepare(decoder, path)
    seconds = process_cpu_s(decoder.pid) - began_s
    peak = _peak_bytes(decoder.pid)
    await decoder.kill()
    cells = [
        kind.name,
        f"{promised.width_px * promised.height_px / MB:.0f}",
        f"{_size_bytes(path) / 1000:.0f}",
        f"{promised.work_bytes / MB:.0f}",
        f"{peak / MB:.0f}",
        f"{seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


async def _prepare(decoder: DecoderProcess, path: Path) -> None:
    """As the pool would, of which only this one process is of interest."""
    target = path.with_suffix(".prepared")
    pool = DecoderPool(time_limit_s=300, cpu_limit_s=100)
    pool._idle.append(decoder)
    await pool.prepare(path, target, long_side_px=MAX_SIZE_PX, user_id=1)


def _size_bytes(path: Path) -> int:
    return path.stat().st_size


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    asyncio.run(main())
