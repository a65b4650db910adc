"""What the trainings share: the split, the crops, the teachers, least squares, balancing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from models.encoders import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    SLIM_WIDTHS,
    Encoder,
    slim_encoder,
    vgg_modules,
)
from models.training.data import CropSampler, load_pictures, picture_paths
from models.training.encoder.balance import balance
from models.training.encoder.distillation_set import DistillationSet
from models.training.encoder.least_squares import (
    Positions,
    choose_channels,
    initialise,
    ridge,
    teacher_samples,
)
from models.training.encoder.student import DISTILLED_LAYERS, Teacher, variance
from models.training.teachers import (
    SLIM_VGG19_FILE,
    VGG16_FILE,
    load_slim_vgg19,
    load_vgg16,
)
from tests.models.training.training_set import write_training_set


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_set(tmp_path_factory.mktemp("data"), photos=26)


def test_training_and_validation_share_no_picture(data: Path) -> None:
    train, validation = (picture_paths(data / "photos", s) for s in ("train", "validation"))
    assert [path.stem for path in validation] == ["0000", "0012", "0024"]
    assert len(train) == 23
    assert not set(train) & set(validation)


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no pictures"):
        picture_paths(tmp_path, "train")


def test_crops_are_squares_out_of_the_pictures() -> None:
    """From a picture whose red rises to the right and green downwards, a crop does the same."""
    ramp = torch.linspace(0, 255, 90)
    picture = torch.stack(
        [ramp.expand(60, 90), ramp[:60, None].expand(60, 90), torch.zeros(60, 90)]
    )
    crops = CropSampler([picture.to(torch.uint8)], size_px=32, seed=3).batch(20)
    assert crops.shape == (20, 3, 32, 32)
    assert crops.min() >= 0
    assert crops.max() <= 1
    assert (crops[:, 1].diff(dim=1) >= 0).all()
    rises = crops[:, 0, :, -1].mean(1) > crops[:, 0, :, 0].mean(1)
    assert 0 < rises.sum() < 20, "some are mirrored, some are not"
    assert crops[:, 2].abs().max() == 0


def test_a_picture_smaller_than_the_crop_is_enlarged() -> None:
    small = torch.full((3, 20, 30), 200, dtype=torch.uint8)
    crop = CropSampler([small], size_px=64).batch(1)
    torch.testing.assert_close(crop, torch.full((1, 3, 64, 64), 200 / 255))


def test_crops_go_on_where_a_checkpoint_was_taken(data: Path) -> None:
    pictures = load_pictures(picture_paths(data / "photos", "train"))
    sampler = CropSampler(pictures, size_px=16, seed=5)
    state = sampler.state()
    crops = sampler.batch(4)
    other = CropSampler(pictures, size_px=16, seed=6)
    assert not torch.equal(other.batch(4), crops)
    other.restore(state)
    assert torch.equal(other.batch(4), crops)


@pytest.mark.parametrize("reflect", [False, True])
def test_vgg16_sees_rgb_less_imagenets_mean(data: Path, reflect: bool) -> None:
    tensors = load_file(data / "teacher" / VGG16_FILE)
    picture = torch.rand(1, 3, 36, 52)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    mode = "reflect" if reflect else "constant"
    padded = F.pad((picture - mean) / std, (1, 1, 1, 1), mode=mode)
    kernels, biases = tensors["conv1_1.weight"].float(), tensors["conv1_1.bias"]
    teacher = load_vgg16(data, reflect=reflect)
    found = teacher(picture, ["relu1_1", "relu5_3"])
    expected = F.conv2d(padded, kernels, biases).relu()
    torch.testing.assert_close(found["relu1_1"], expected, rtol=1e-4, atol=1e-4)
    assert found["relu5_3"].shape == (1, 200, 2, 3)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_every_layer_is_brought_to_the_same_size(data: Path) -> None:
    teacher = Teacher(data)
    images = torch.rand(6, 3, 64, 64)
    teacher.calibrate(images)
    features = teacher(images)
    assert tuple(features) == DISTILLED_LAYERS == slim_encoder().layers
    for layer, feature in features.items():
        assert variance(feature) == pytest.approx(1, rel=1e-3), layer


def test_a_set_gives_crops_their_own_features_and_goes_on_from_a_state(data: Path) -> None:
    teacher = Teacher(data)
    crops = torch.rand(12, 3, 32, 32)
    bank = DistillationSet(teacher, crops, seed=1)
    state = bank.state()
    images, features = bank.batch(5)
    assert len(torch.unique(images.flatten(1), dim=0)) == 5
    for layer, expected in teacher(images).items():
        # Half precision may round each; another crop's features would be off by their variance.
        assert (features[layer] - expected).square().mean() < 1e-3 * expected.var(), layer
    bank.batch(3)
    bank.restore(state)
    assert torch.equal(bank.batch(5)[0], images)


def test_the_slim_teacher_sees_its_colour_convolution(data: Path) -> None:
    tensors = load_file(data / "teacher" / SLIM_VGG19_FILE)
    picture = torch.rand(1, 3, 32, 48)
    mixed = F.conv2d(picture, tensors["conv0.weight"], tensors["conv0.bias"])
    padded = F.pad(mixed, (1, 1, 1, 1), mode="reflect")
    expected = F.conv2d(padded, tensors["conv11.weight"], tensors["conv11.bias"]).relu()
    found = load_slim_vgg19(data)(picture, ["relu1_1", "relu5_1"])
    torch.testing.assert_close(found["relu1_1"], expected, rtol=1e-4, atol=1e-4)
    assert found["relu5_1"].shape == (1, 128, 2, 3)


def test_ridge_finds_a_linear_map() -> None:
    torch.manual_seed(0)
    inputs, weights, biases = torch.randn(500, 6) + 3, torch.randn(4, 6), torch.randn(4)
    found, intercepts = ridge(inputs, inputs @ weights.T + biases)
    torch.testing.assert_close(found, weights, rtol=0.02, atol=0.02)
    torch.testing.assert_close(intercepts, biases, rtol=0.05, atol=0.1)


def test_channels_that_tell_nothing_new_are_not_chosen() -> None:
    """Of two loud sources, a faint one and a copy, the sources come first and the copy last."""
    torch.manual_seed(0)
    a, b, faint = torch.randn(3, 1000) * torch.tensor([[3.0], [2.0], [0.1]])
    columns = torch.stack([a, 0.9 * a, faint, b], dim=1)
    first, second, third = choose_channels(columns, 3).tolist()
    assert first in (0, 1)
    assert (second, third) == (3, 2)


def test_more_channels_than_the_teacher_has_repeat_its_own() -> None:
    assert choose_channels(torch.randn(50, 3), 5).tolist() == [0, 1, 2, 0, 1]


def test_least_squares_alone_copies_a_teacher_of_the_same_shape() -> None:
    torch.manual_seed(0)
    widths = ((4, 4), (6,))
    teacher = Encoder(vgg_modules(widths)).requires_grad_(False)
    student = Encoder(vgg_modules(widths)).requires_grad_(False)
    images = torch.rand(12, 3, 24, 24)
    positions = Positions(crops=12, total=3000, seed=0)
    names = [name.replace("relu", "conv") for name in teacher.layers]
    targets = teacher_samples(teacher, images, positions, convolutions=names)
    maps = initialise(student, targets, images, positions)
    unseen = torch.rand(2, 3, 24, 24)
    theirs, ours = teacher(unseen, teacher.layers), student(unseen, student.layers)
    for layer in teacher.layers:
        left = (maps[layer](ours[layer]) - theirs[layer]).square().mean()
        assert left < 0.02 * theirs[layer].var(), layer


def test_least_squares_leaves_known_convolutions_alone_and_solves_what_follows() -> None:
    torch.manual_seed(0)
    widths = ((4, 4), (6,))
    teacher = Encoder(vgg_modules(widths)).requires_grad_(False)
    student = Encoder(vgg_modules(widths)).requires_grad_(False)
    student.load_convolutions(
        {
            name: tensor if name.startswith("conv1") else torch.rand_like(tensor)
            for name, tensor in teacher.stack.state_dict().items()
        }
    )
    before = {name: tensor.clone() for name, tensor in student.stack.state_dict().items()}
    images = torch.rand(12, 3, 24, 24)
    positions = Positions(crops=12, total=3000, seed=0)
    names = [name.replace("relu", "conv") for name in teacher.layers]
    targets = teacher_samples(teacher, images, positions, convolutions=names)
    maps = initialise(student, targets, images, positions, known={"conv1_1", "conv1_2"})
    for name, tensor in student.stack.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith("conv1"), name
    unseen = torch.rand(2, 3, 24, 24)
    theirs, ours = teacher(unseen, teacher.layers), student(unseen, student.layers)
    for layer in teacher.layers:
        left = (maps[layer](ours[layer]) - theirs[layer]).square().mean()
        assert left < 0.02 * theirs[layer].var(), layer


def test_nothing_is_sampled_that_nobody_asked_for() -> None:
    teacher = Encoder(vgg_modules(((4, 4), (6,)))).requires_grad_(False)
    ran: list[nn.Module] = []
    for module in teacher.stack.children():
        module.register_forward_hook(lambda module, _inputs, _output: ran.append(module))
    positions = Positions(crops=2, total=20, seed=0)
    images = torch.rand(2, 3, 16, 16)
    found = teacher_samples(teacher, images, positions, convolutions=["conv1_2"])
    assert {name: tuple(rows.shape) for name, rows in found.items()} == {"conv1_2": (20, 4)}
    assert ran[-1] is teacher.stack.get_submodule("conv1_2")


def test_balancing_changes_how_loud_channels_are_and_nothing_else() -> None:
    torch.manual_seed(0)
    encoder = slim_encoder().requires_grad_(False)
    images = torch.rand(2, 3, 64, 64)
    before = encoder(images, encoder.layers)
    (*_, (third, *_), _, (fifth,)) = SLIM_WIDTHS
    maps = {"relu3_1": nn.Conv2d(third, 20, 1), "relu5_1": nn.Conv2d(fifth, 20, 1)}
    balance(encoder, maps, images)
    for layer, after in encoder(images, encoder.layers).items():
        torch.testing.assert_close(after.square().mean(), torch.tensor(1.0), rtol=1e-3, atol=1e-3)
        directions = (F.normalize(x.transpose(0, 1).flatten(1)) for x in (before[layer], after))
        torch.testing.assert_close(*directions, rtol=1e-3, atol=1e-3)


def test_balancing_leaves_silent_channels_finite() -> None:
    encoder = slim_encoder().requires_grad_(False)
    convolution = encoder.stack.get_submodule("conv4_1")
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.bias is not None
    convolution.bias[:7] = -20
    images = torch.rand(1, 3, 32, 32)
    balance(encoder, {"relu4_1": nn.Conv2d(convolution.out_channels, 9, 1)}, images)
    assert all(p.half().isfinite().all() for p in encoder.parameters())
    assert (encoder(images, ["relu4_1"])["relu4_1"][:, :7] == 0).all()


def test_balance_follows_the_teachers_weights() -> None:
    """A channel that the teacher listens to twice as much is twice as loud."""
    torch.manual_seed(0)
    encoder = Encoder(vgg_modules(((2,),))).requires_grad_(False)
    mapped = nn.Conv2d(2, 1, 1)
    images = torch.rand(4, 3, 32, 32)
    deviations = encoder(images, ["relu1_1"])["relu1_1"].std((0, 2, 3))
    with torch.no_grad():
        mapped.weight.copy_((torch.tensor([2.0, 1.0]) / deviations).view(1, 2, 1, 1))
    balance(encoder, {"relu1_1": mapped}, images)
    first, second = encoder(images, ["relu1_1"])["relu1_1"].std((0, 2, 3))
    torch.testing.assert_close(first, 2 * second, rtol=1e-3, atol=1e-3)
