"""Draw presets again: `python -m styles.drawing [slug ...]`, all of them without a slug."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from styles.drawing.programs import IMAGES, PROGRAMS, draw, encode


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m styles.drawing", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="slug", help=", ".join(PROGRAMS))
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder to draw into")
    wishes = parser.parse_args(arguments)
    unknown = sorted(set(wishes.slugs) - set(PROGRAMS))
    if unknown:
        parser.error(f"no program draws {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    wishes.out.mkdir(parents=True, exist_ok=True)
    for slug in wishes.slugs or PROGRAMS:
        started = time.perf_counter()
        target = wishes.out / f"{slug}.jpg"
        target.write_bytes(encode(draw(slug)))
        seconds = time.perf_counter() - started
        sys.stdout.write(f"{target}  {target.stat().st_size / 1e6:.2f} MB  {seconds:.1f} s\n")


if __name__ == "__main__":
    main()
