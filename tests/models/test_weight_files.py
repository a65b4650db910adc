"""Weights: checked before use, downloaded once, and one clear sentence when they can't be had."""

from __future__ import annotations

import hashlib
import pickle
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.devices.torchvision_compat import vgg16_modules
from models.draft.packaged import DRAFT_ENCODER, DRAFT_WEIGHTS
from models.encoders import Encoder, load_encoder
from models.weight_files import (
    MANIFEST,
    PACKAGED,
    SLIM_ENCODER,
    VGG16_SHA256,
    VGG16_URL,
    choose_encoder,
    fetch_vgg16,
    load_packaged,
    load_vgg16,
)
from models.weights_cache import VGG16_CACHED, WeightsError

PTH = "vgg16.pth"
MAX_PACKAGED_BYTES = 10_000_000


class Server:
    """A loopback file server that remembers what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(handler, format: str, *args: object) -> None:  # noqa: A002, N805
                self.asked.append(handler.path)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self._http.server_port}/{PTH}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def sha256(self) -> str:
        return hashlib.sha256((self.folder / PTH).read_bytes()).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def vgg16_state() -> dict[str, Tensor]:
    """What torchvision's file holds, less most of the classifier."""
    torch.manual_seed(0)
    state = {f"features.{name}": tensor for name, tensor in vgg16_modules().state_dict().items()}
    return state | {"classifier.0.weight": torch.zeros(8, 8), "classifier.0.bias": torch.zeros(8)}


@pytest.fixture
def small_state() -> dict[str, Tensor]:
    """The same names with a few numbers each."""
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    return {
        f"features.{place}.{kind}": torch.full((2,), float(place))
        for place in places
        for kind in ("weight", "bias")
    }


def test_every_packaged_file_is_what_the_manifest_says() -> None:
    manifest = tomllib.loads((PACKAGED / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    files = {path.name for path in PACKAGED.glob("*.safetensors")}
    assert set(manifest) == files
    assert {SLIM_ENCODER, DRAFT_ENCODER} <= files
    for name in files:
        assert load_packaged(name)


def test_the_packaged_files_are_small_and_each_has_its_card() -> None:
    files = list(PACKAGED.glob("*.safetensors"))
    assert sum(path.stat().st_size for path in files) <= MAX_PACKAGED_BYTES
    for name in (SLIM_ENCODER, DRAFT_ENCODER, DRAFT_WEIGHTS):
        assert (PACKAGED / name).with_suffix(".md").is_file()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file({"a": torch.arange(4.0)}, folder / "good.safetensors")
    digest = hashlib.sha256((folder / "good.safetensors").read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(f'[sha256]\n"good.safetensors" = "{digest}"\n')
    return folder


def test_a_packaged_file_is_read(package: Path) -> None:
    assert torch.equal(load_packaged("good.safetensors", folder=package)["a"], torch.arange(4.0))


def test_a_missing_packaged_file_is_named(package: Path) -> None:
    (package / "good.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"good\.safetensors are missing"):
        load_packaged("good.safetensors", folder=package)


@pytest.mark.parametrize("damage", [slice(0, -3), slice(0, 0)])
def test_a_truncated_packaged_file_is_refused(package: Path, damage: slice) -> None:
    path = package / "good.safetensors"
    path.write_bytes(path.read_bytes()[damage])
    with pytest.raises(WeightsError, match="damaged"):
        load_packaged(path.name, folder=package)


def test_one_changed_bit_is_noticed(package: Path) -> None:
    path = package / "good.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        load_packaged(path.name, folder=package)


def test_a_file_outside_the_manifest_is_refused(package: Path) -> None:
    save_file({"a": torch.zeros(1)}, package / "stranger.safetensors")
    with pytest.raises(WeightsError, match=r"stranger\.safetensors have no entry"):
        load_packaged("stranger.safetensors", folder=package)


def test_a_missing_manifest_is_one_sentence_too(package: Path) -> None:
    (package / MANIFEST).unlink()
    with pytest.raises(WeightsError, match=MANIFEST):
        load_packaged("good.safetensors", folder=package)


def test_bytes_that_are_no_safetensors_are_refused(package: Path) -> None:
    (package / "good.safetensors").write_bytes(b"not tensors")
    digest = hashlib.sha256(b"not tensors").hexdigest()
    (package / MANIFEST).write_text(f'[sha256]\n"good.safetensors" = "{digest}"\n')
    with pytest.raises(WeightsError, match="no safetensors"):
        load_packaged("good.safetensors", folder=package)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "as torchvision's"])
def test_vgg16_is_downloaded_once_and_paints_as_torchvisions(
    server: Server, cache: Path, vgg16_state: dict[str, Tensor], zipped: bool
) -> None:
    torch.save(vgg16_state, server.folder / PTH, _use_new_zipfile_serialization=zipped)
    for _ in range(2):
        fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    assert server.asked == [f"/{PTH}"]
    encoder = load_encoder("vgg16", cache_dir=cache)

    reference = vgg16_modules()
    reference.load_state_dict({k[9:]: v for k, v in vgg16_state.items() if "features" in k})
    picture = torch.rand(1, 3, 32, 32)
    layers = ["relu1_2", "relu3_3", "relu5_3"]
    for layer, activation in Encoder(reference)(picture, layers).items():
        assert torch.equal(encoder(picture, layers)[layer], activation)


def test_only_convolutions_and_their_checksum_stay(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    torch.save(small_state | {"classifier.0.weight": torch.zeros(9)}, server.folder / PTH)
    fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    assert {path.name for path in cache.iterdir()} == {VGG16_CACHED, VGG16_CACHED + ".sha256"}
    tensors = load_vgg16(cache)
    assert len(tensors) == 26
    assert tensors["conv3_3.bias"].tolist() == [14.0, 14.0]
    assert tensors["conv5_1.weight"].tolist() == [24.0, 24.0]


def test_a_damaged_cache_is_refused_and_then_mended(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    torch.save(small_state, server.folder / PTH)
    fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    (cache / VGG16_CACHED).write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="damaged"):
        load_vgg16(cache)
    fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    assert len(load_vgg16(cache)) == 26


def test_an_empty_cache_says_so(cache: Path) -> None:
    with pytest.raises(WeightsError, match="not been downloaded"):
        load_encoder("vgg16", cache_dir=cache)


def test_a_download_of_another_checksum_is_thrown_away(server: Server, cache: Path) -> None:
    torch.save({}, server.folder / PTH)
    with pytest.raises(WeightsError, match="SHA-256"):
        fetch_vgg16(cache, url=server.url)
    assert not list(cache.iterdir())


def test_a_download_that_shares_the_checksum_s_first_digits_alone_is_thrown_away(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    torch.save(small_state, server.folder / PTH)
    alike = server.sha256[:8] + "0" * 56
    with pytest.raises(WeightsError, match="SHA-256"):
        fetch_vgg16(cache, url=server.url, sha256=alike)
    assert not list(cache.iterdir())


def test_the_pinned_checksum_is_whole_and_of_the_file_that_is_asked_for() -> None:
    assert len(bytes.fromhex(VGG16_SHA256)) == 32
    assert f"vgg16-{VGG16_SHA256[:8]}.pth" in VGG16_URL


def test_a_download_that_is_longer_than_it_should_be_is_thrown_away(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    path = server.folder / PTH
    torch.save(small_state, path)
    size, sha256 = path.stat().st_size, server.sha256
    with pytest.raises(WeightsError, match="SHA-256"):
        fetch_vgg16(cache, url=server.url, sha256=sha256, size_bytes=size // 2)
    fetch_vgg16(cache, url=server.url, sha256=sha256, size_bytes=size)
    assert len(load_vgg16(cache)) == 26


def test_a_truncated_download_is_thrown_away(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    path = server.folder / PTH
    torch.save(small_state, path)
    whole = server.sha256
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not complete"):
        fetch_vgg16(cache, url=server.url, sha256=whole)
    assert not list(cache.iterdir())


def test_a_file_of_another_layout_is_refused(
    server: Server, cache: Path, small_state: dict[str, Tensor]
) -> None:
    del small_state["features.28.bias"]
    torch.save(small_state, server.folder / PTH)
    with pytest.raises(WeightsError, match="not laid out"):
        fetch_vgg16(cache, url=server.url, sha256=server.sha256)


def test_code_hidden_in_the_file_is_not_run(server: Server, cache: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    with (server.folder / PTH).open("wb") as file:
        pickle.dump({"features.0.weight": Trap()}, file, protocol=2)
    with pytest.raises(WeightsError, match="not laid out"):
        fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    torch.save({"features.0.weight": Trap()}, server.folder / PTH)
    with pytest.raises(WeightsError, match="not laid out"):
        fetch_vgg16(cache, url=server.url, sha256=server.sha256)
    assert not (tmp_path / "sprung").exists()


def test_without_a_network_the_sentence_names_the_address(server: Server, cache: Path) -> None:
    server.close()
    with pytest.raises(WeightsError, match=r"can't be downloaded from http://127\.0\.0\.1"):
        fetch_vgg16(cache, url=server.url)


def test_a_file_the_server_does_not_have_is_one_sentence(server: Server, cache: Path) -> None:
    with pytest.raises(WeightsError, match="404"):
        fetch_vgg16(cache, url=server.url)


def test_a_cache_folder_that_cant_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="can't be kept"):
        fetch_vgg16(tmp_path / "file", url="http://127.0.0.1:9/never-asked")


@pytest.mark.parametrize(
    ("cuda", "at_hand", "chosen"),
    [(True, True, "vgg16"), (True, False, "slim"), (False, True, "slim"), (False, False, "slim")],
)
def test_auto_takes_vgg16_where_gpu_and_file_are_there(
    cuda: bool, at_hand: bool, chosen: str
) -> None:
    assert choose_encoder("auto", cuda=cuda, vgg16_at_hand=lambda: at_hand) == chosen


def test_nothing_is_downloaded_when_the_answer_does_not_count() -> None:
    def download() -> bool:
        raise AssertionError("asked for the file")

    assert choose_encoder("auto", cuda=False, vgg16_at_hand=download) == "slim"
    assert choose_encoder("slim", cuda=True, vgg16_at_hand=download) == "slim"
    assert choose_encoder("vgg16", cuda=False, vgg16_at_hand=download) == "vgg16"
