"""Moving statistics: what has been moved has the wanted ones, and is moved no more than need be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.draft.style_code import Moments
from models.draft.transport import Target, transport


def maps(seed: int, *, channels: int = 6, count: int = 2) -> Tensor:
    """Correlated random maps (count, channels, 20, 30) with means of their own."""
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(count, channels, channels, generator=random)
    flat = mix @ torch.randn(count, channels, 600, generator=random)
    moved = flat + torch.randn(count, channels, 1, generator=random)
    return moved.reshape(count, channels, 20, 30)


def test_what_is_moved_has_the_wanted_moments() -> None:
    have, want = maps(0), Moments.of(maps(1))
    moved = Moments.of(transport(Moments.of(have), Target.of(want, 1e-6))(have))
    torch.testing.assert_close(moved.mean, want.mean, rtol=0, atol=1e-3)
    torch.testing.assert_close(moved.covariance, want.covariance, rtol=1e-2, atol=1e-2)


def test_maps_that_have_them_already_stay() -> None:
    have = maps(0)
    moved = transport(Moments.of(have), Target.of(Moments.of(have), 0.01))(have)
    torch.testing.assert_close(moved, have, rtol=0, atol=0.01)


def test_the_map_is_symmetric_and_never_turns_anything_round() -> None:
    """That is what makes it the one that moves least (Brenier 1991)."""
    there = transport(Moments.of(maps(0)), Target.of(Moments.of(maps(1)), 1e-6)).there
    torch.testing.assert_close(there, there.transpose(1, 2), rtol=1e-3, atol=1e-3)
    assert bool((torch.linalg.eigvalsh(there) > 0).all())


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_what_a_channel_hardly_has_is_not_blown_up(noise: float) -> None:
    flat = torch.full((1, 3, 8, 8), 0.5)
    want = Moments.of(maps(1, channels=3, count=1))
    there = transport(Moments.of(flat), Target.of(want, noise)).there
    most = want.covariance.diagonal(dim1=1, dim2=2).sum()
    assert float(there.abs().max()) < float((most / noise + 1).sqrt())


def test_one_style_serves_many_pictures_and_results_can_be_scaled() -> None:
    have, want = maps(0, count=3), Moments.of(maps(1, count=1))
    plain = transport(Moments.of(have), Target.of(want, 0.01))
    mean, deviation = torch.rand(6), torch.rand(6) + 0.5
    scaled = plain.then_scaled(mean, deviation)(have)
    assert scaled.shape == have.shape
    expected = (plain(have) - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)
    torch.testing.assert_close(scaled, expected, rtol=1e-4, atol=1e-4)


def test_a_covariance_that_rounding_made_impossible_does_no_harm() -> None:
    """Kept in half precision, what a flat layer's mean square is more than its moment allows."""
    flat = Moments.of(torch.rand(1, 6, 1, 1).expand(1, 6, 8, 8))
    rounded = Moments(flat.mean, 0.999 * flat.product)
    assert float(torch.linalg.eigvalsh(rounded.covariance).min()) < -1e-4
    have = maps(0, count=1)
    moved = transport(Moments.of(have), Target.of(rounded, 1e-6))(have)
    torch.testing.assert_close(
        moved, flat.mean[:, :, None, None].expand_as(have), atol=0.02, rtol=0
    )


def test_silent_channels_stay_silent() -> None:
    """Half of an encoder's channels may never speak."""
    have, want = (maps(seed, channels=128) for seed in (0, 1))
    have[:, 40:], want[:, ::2] = 0, 0
    noise = 0.01 * float(Moments.of(want).deviation.square().mean())
    moved = transport(Moments.of(have), Target.of(Moments.of(want), noise))(have)
    assert bool(moved.isfinite().all())
    assert float(moved[:, ::2].var((0, 2, 3)).max()) < 2 * noise


def test_what_single_precision_can_not_take_apart_is_taken_apart_in_double(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LAPACK gives up on one matrix in many thousands; which one, the processor decides."""
    have, want = maps(0), Moments.of(maps(1))
    usual = transport(Moments.of(have), Target.of(want, 0.01))(have)
    eigh = torch.linalg.eigh

    def gives_up(matrices: Tensor) -> tuple[Tensor, Tensor]:
        if matrices.dtype != torch.float64:
            raise torch.linalg.LinAlgError("failed to converge")  # type: ignore[attr-defined]
        values, vectors = eigh(matrices)
        return values, vectors

    monkeypatch.setattr(torch.linalg, "eigh", gives_up)
    moved = transport(Moments.of(have), Target.of(want, 0.01))(have)
    assert moved.dtype == torch.float32
    torch.testing.assert_close(moved, usual, rtol=0, atol=1e-3)
