"""Where weights come from: packaged in the repository, or downloaded once into a cache.

Every file is read once and checked against its SHA-256 before anything is made of its bytes. Our
own files are safetensors; the one foreign file, torchvision's VGG16, is unpickled with
`weights_only=True` and kept as safetensors from then on.
"""

from __future__ import annotations

import hashlib
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from models.weights_cache import VGG16_CACHED, WeightsError, read_checked, read_vgg16, write_vgg16

EncoderName = Literal["slim", "vgg16"]
EncoderSetting = Literal["auto", "slim", "vgg16"]

PACKAGED = Path(__file__).parent / "weights"
MANIFEST = "manifest.toml"
"""In the packaged folder: the SHA-256 of every file beside it."""
SLIM_ENCODER = "slim_encoder.safetensors"

VGG16_URL = "https://download.pytorch.org/models/vgg16-397923af.pth"
VGG16_SHA256 = "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
"""Of torchvision's file, which carries the first eight digits in its name."""
VGG16_BYTES = 553_433_881

_VGG16_STAGES = (2, 2, 3, 3, 3)
_VGG16_CHANNELS = (64, 128, 256, 512, 512)
_CHUNK_BYTES = 1 << 20
_STALL_S = 30.0


def load_packaged(name: str, *, folder: Path = PACKAGED) -> dict[str, Tensor]:
    """The tensors of the packaged file `name`.

    Raises WeightsError if it is missing, truncated or not what the manifest says.
    """
    path = folder / name
    return _parsed(read_checked(path, packaged_sha256(name, folder=folder)), path)


def packaged_sha256(name: str, *, folder: Path = PACKAGED) -> str:
    """What the manifest says about `name`; raises WeightsError if it says nothing."""
    try:
        manifest = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return str(manifest["sha256"][name])
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        raise WeightsError(f"The packaged weights {name} have no entry in {MANIFEST}.") from None


def load_vgg16(cache_dir: Path) -> dict[str, Tensor]:
    """VGG16's convolutions from the cache; raises WeightsError if they are not there or damaged."""
    return _parsed(read_vgg16(cache_dir), cache_dir / VGG16_CACHED)


def fetch_vgg16(
    cache_dir: Path,
    *,
    url: str = VGG16_URL,
    sha256: str = VGG16_SHA256,
    size_bytes: int = VGG16_BYTES,
) -> None:
    """Have VGG16's convolutions in the cache, downloading torchvision's file only if need be.

    528 MB come over the line, 59 MB are kept. Blocks for as long as that takes. Raises WeightsError
    without a network, or for a file that is not torchvision's.
    """
    try:
        load_vgg16(cache_dir)
    except WeightsError:
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache_dir, prefix="vgg16-") as folder:
                download = Path(folder) / "vgg16.pth"
                _download(url, download, sha256=sha256, size_bytes=size_bytes)
                write_vgg16(cache_dir, safetensors.torch.save(_convolutions(download)))
        except OSError as error:
            raise WeightsError(
                f"The VGG16 weights can't be kept in {cache_dir}: {error}."
            ) from None


def keep_vgg16(cache_dir: Path, tensors: Mapping[str, Tensor]) -> None:
    """Put VGG16's convolutions into the cache, in single precision; the folder is made.

    `tensors` by VGG's own names (`conv1_1.weight` ...), of any float type. Raises WeightsError if
    they are not VGG16's, or can't be written.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if shapes != _vgg16_shapes():
        raise WeightsError("These are not VGG16's convolutions: other names or other shapes.")
    try:
        kept = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
        write_vgg16(cache_dir, safetensors.torch.save(kept))
    except OSError as error:
        raise WeightsError(f"The VGG16 weights can't be kept in {cache_dir}: {error}.") from None


def choose_encoder(
    setting: EncoderSetting, *, cuda: bool, vgg16_at_hand: Callable[[], bool]
) -> EncoderName:
    """Which encoder a setting means on this machine.

    `auto` is vgg16 where there is CUDA and its file is at hand, else slim. `vgg16_at_hand` is only
    asked if the answer counts: it may have to download.
    """
    if setting != "auto":
        return setting
    return "vgg16" if cuda and vgg16_at_hand() else "slim"


def _parsed(content: bytes, path: Path) -> dict[str, Tensor]:
    """The very bytes that were checked."""
    try:
        return safetensors.torch.load(content)
    except SafetensorError:
        raise WeightsError(f"The weights {path} are no safetensors file.") from None


def _download(url: str, target: Path, *, sha256: str, size_bytes: int) -> None:
    # torch.hub's download has no time limit: a silent server would hold the start for ever.
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_STALL_S) as source, target.open("wb") as sink:  # noqa: S310
            # One byte more than there should be tells that there is more; the disk needs no rest.
            left = size_bytes + 1
            while chunk := source.read(min(_CHUNK_BYTES, left)):
                digest.update(chunk)
                sink.write(chunk)
                left -= len(chunk)
    except (OSError, HTTPException) as error:
        raise WeightsError(f"The VGG16 weights can't be downloaded from {url}: {error}.") from None
    if digest.hexdigest() != sha256:
        raise WeightsError(
            f"The download from {url} is not complete or not torchvision's VGG16: wrong SHA-256."
        )


def _convolutions(path: Path) -> dict[str, Tensor]:
    """Torchvision's `features.N` tensors under VGG's own names (`conv1_1.weight` ...)."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        return {
            f"conv{stage}_{number}.{kind}": state[f"features.{index}.{kind}"].contiguous()
            for stage, number, index in _vgg16_indices()
            for kind in ("weight", "bias")
        }
    except (UnpicklingError, RuntimeError, KeyError, AttributeError, TypeError):
        raise WeightsError(f"{path.name} is not laid out like torchvision's VGG16.") from None


def _vgg16_indices() -> list[tuple[int, int, int]]:
    """Stage, number in it, and place in torchvision's `features` of each convolution."""
    indices = []
    place = 0
    for stage, convolutions in enumerate(_VGG16_STAGES, 1):
        for number in range(1, convolutions + 1):
            indices.append((stage, number, place))
            place += 2  # its ReLU
        place += 1  # the pooling
    return indices


def _vgg16_shapes() -> dict[str, tuple[int, ...]]:
    """The shape of every kernel and bias, by VGG's own names."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for stage, number, _ in _vgg16_indices():
        outputs = _VGG16_CHANNELS[stage - 1]
        shapes[f"conv{stage}_{number}.weight"] = (outputs, inputs, 3, 3)
        shapes[f"conv{stage}_{number}.bias"] = (outputs,)
        inputs = outputs
    return shapes
