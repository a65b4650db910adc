"""Package trained weights: `python -m models.training.package out/draft/draft.safetensors`.

Copies the files to `models/weights` and writes the checksums of all that lies there, without which
`models.weight_files` loads nothing.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from models.files import file_sha256
from models.weight_files import MANIFEST, PACKAGED

_HEAD = "# SHA-256 of every packaged weights file; models/weight_files.py checks it at every load."


def write_manifest(folder: Path = PACKAGED) -> None:
    """Write down the SHA-256 of every safetensors file in `folder`."""
    lines = [
        f'"{path.name}" = "{file_sha256(path)}"' for path in sorted(folder.glob("*.safetensors"))
    ]
    (folder / MANIFEST).write_text("\n".join([_HEAD, "[sha256]", *lines, ""]), encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="*", help="safetensors files to package")
    for path in parser.parse_args().weights:
        shutil.copyfile(path, PACKAGED / path.name)
    write_manifest()


if __name__ == "__main__":
    main()
