"""Losses against values worked out by hand and against autograd."""

from __future__ import annotations

import pytest
import torch

from models.tensors.gram import gram_matrix, gram_sum, style_loss


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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_is_right_and_laid_out_as_the_maps(layout: torch.memory_format) -> None:
    maps = torch.rand(2, 3, 4, 5, dtype=torch.double).contiguous(memory_format=layout)
    features = maps.requires_grad_()
    assert torch.autograd.gradcheck(gram_sum, (features,))
    slope = torch.rand(2, 3, 3, dtype=torch.double)
    (found,) = torch.autograd.grad(gram_sum(features), features, slope)
    assert found.is_contiguous(memory_format=layout)


def test_gradients_agree_with_finite_differences() -> None:
    features = torch.rand(1, 3, 4, 5, dtype=torch.double, requires_grad=True)
    target = torch.rand(1, 3, 4, 5, dtype=torch.double)

    def loss(x: torch.Tensor) -> torch.Tensor:
        return style_loss(gram_matrix(x), gram_matrix(target))

    assert torch.autograd.gradcheck(loss, (features,))
