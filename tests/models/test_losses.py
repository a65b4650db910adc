"""Losses against values worked out by hand and against autograd."""

from __future__ import annotations

import pytest
import torch

from models.losses import content_loss, gram_matrix, gram_sum, style_loss, total_variation


def test_gram_matrix_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # two channels, two positions
    assert gram_matrix(features).tolist() == [[[2.5, 0.5], [0.5, 5.0]]]


def test_gram_matrix_forgets_where_things_are() -> None:
    features = torch.rand(1, 5, 6, 8)
    shuffled = features.flatten(2)[..., torch.randperm(48)].view_as(features)
    torch.testing.assert_close(gram_matrix(features), gram_matrix(shuffled))


def test_gram_sums_add_up_over_pieces() -> None:
    features = torch.rand(1, 3, 6, 8)
    parts = gram_sum(features[..., :2]) + gram_sum(features[..., 2:])
    torch.testing.assert_close(parts / 48, gram_matrix(features))


def test_style_loss_by_hand() -> None:
    target = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]])
    assert style_loss(target, target).item() == 0
    assert style_loss(torch.zeros(1, 2, 2), target).item() == pytest.approx(1)
    assert style_loss(2 * target, target).item() == pytest.approx(1)
    nearly = torch.tensor([[[3.0, 1.0], [1.0, 4.0]]])
    assert style_loss(nearly, target).item() == pytest.approx(2 / 25)


def test_content_loss_by_hand() -> None:
    target = torch.tensor([[[[1.0, 2.0], [2.0, 4.0]]]])
    energy = target.square().sum()
    assert content_loss(target, target, energy).item() == 0
    assert content_loss(torch.zeros_like(target), target, energy).item() == pytest.approx(1)
    halves = (
        content_loss(target[..., k : k + 1, :] * 0, target[..., k : k + 1, :], energy)
        for k in (0, 1)
    )
    assert sum(half.item() for half in halves) == pytest.approx(1)


def test_total_variation_by_hand() -> None:
    image = torch.zeros(1, 1, 2, 2)
    assert total_variation(image).item() == 0
    image[..., 0, 0] = 1  # one of two vertical and one of two horizontal neighbours differ
    assert total_variation(image).item() == pytest.approx(1.0)


def test_gradients_agree_with_finite_differences() -> None:
    features = torch.rand(1, 3, 4, 5, dtype=torch.double, requires_grad=True)
    target = torch.rand(1, 3, 4, 5, dtype=torch.double)
    energy = target.square().sum()

    def loss(x: torch.Tensor) -> torch.Tensor:
        style = style_loss(gram_matrix(x), gram_matrix(target))
        return style + content_loss(x, target, energy) + total_variation(x)

    assert torch.autograd.gradcheck(loss, (features,))
