"""Train the draft: `python -m models.training.draft.train --data DIR --minutes N [--resume]`.

Photos are painted in styles drawn from a bank of statistics, and a frozen teacher says how far the
paintings are from both. The weight of the content loss follows from what is asked for: it grows
while paintings keep less of their photos than `Recipe.keep`, and falls while they keep more.
Everything goes to `--out`: log, contact sheets of validation pairs, checkpoint and weights.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from models.devices.placement import placed
from models.draft.model import DraftModel
from models.draft.packaged import DRAFT_WEIGHTS, PRESET_CODES, code_key
from models.files import file_sha256
from models.tensors.noise import seeded
from models.training.checkpoints import load_checkpoint, save_checkpoint
from models.training.data import CropSampler, load_pictures, picture_paths
from models.training.draft.context import StepContext, TrainingContext, TrainingPaths, load_context
from models.training.draft.losses import ContentWeight, draft_losses, summary
from models.training.draft.preset_pictures import PRESETS
from models.training.draft.recipe import BatchKind, Recipe
from models.training.draft.style_bank import Drawn
from models.weight_files import EncoderName
from models.weights_cache import DEFAULT_CACHE_DIR

_Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(slots=True)
class Run:
    """A training under way: everything a checkpoint keeps."""

    model: DraftModel
    recipe: Recipe
    presets: int = 0
    averaged: AveragedModel = field(init=False)
    optimiser: torch.optim.Optimizer = field(init=False)
    random: torch.Generator = field(init=False)
    offsets: nn.Parameter = field(init=False)
    """(presets, conditioning): what each preset's own code adds to what the coder makes of it."""
    content_weight: ContentWeight = field(init=False)
    step: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.averaged = AveragedModel(self.model, multi_avg_fn=follow)
        device = self.model.network.last.weight.device
        self.offsets = nn.Parameter(
            torch.zeros(self.presets, self.model.network.conditioning, device=device)
        )
        parts = [self.model.network.parameters(), self.model.coder.parameters(), [self.offsets]]
        self.optimiser = torch.optim.Adam([{"params": part} for part in parts], betas=(0.9, 0.99))
        self.random = seeded(self.recipe.seed)
        self.content_weight = ContentWeight(self.recipe.keep)

    @property
    def spent(self) -> float:
        """Share of the time that is over."""
        return self.seconds / (self.recipe.minutes * 60)

    def codes(self, drawn: Drawn) -> Tensor:
        """The codes (N, code_length) of what was drawn, with the presets' offsets."""
        codes = self.model.code(drawn.styles.colors, drawn.styles.seen)
        if not self.presets:
            return codes
        offsets = self.offsets[drawn.preset.clamp_min(0)] * (drawn.preset >= 0)[:, None]
        return self.model.shifted(codes, offsets)

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "offsets": self.offsets.data,
            "optimiser": self.optimiser.state_dict(),
            "random": self.random.get_state(),
            "content_weight": self.content_weight.value,
            "step": self.step,
            "seconds": self.seconds,
        }
        save_checkpoint(state, path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = load_checkpoint(path)
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.offsets.data.copy_(state["offsets"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.random.set_state(state["random"])
        self.content_weight.value = state["content_weight"]
        self.step, self.seconds = state["step"], state["seconds"]


@torch.no_grad()
def follow(averaged: _Tensors, current: _Tensors, steps: Tensor | int) -> None:
    """Exponential moving average over some 500 steps; over fewer while there are fewer."""
    share = max(0.002, 1 / (10 + float(steps)))
    for mine, theirs in zip(averaged, current, strict=True):
        mine.lerp_(theirs, share)


def learning_rate(run: Run) -> float:
    """Warm-up by steps, then a cosine over the time."""
    warm = min(1.0, (run.step + 1) / run.recipe.warm_up_steps)
    return run.recipe.learning_rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * run.spent)) / 2)


def train_step(
    run: Run, photos: Tensor, context: StepContext, *, passes: int = 1
) -> dict[str, float]:
    """One step on `photos` (N, 3, H, W) in styles of the bank; returns the losses."""
    drawn = context.bank.draw(len(photos), run.recipe.shares, run.random)
    paintings = run.model(context.encoder, photos, run.codes(drawn), run.random, passes=passes)
    losses = draft_losses(context.loss_networks, paintings, photos, drawn.styles, turn=run.step)
    run.optimiser.zero_grad()
    losses.total(run.content_weight.value).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    factors = run.recipe.rate_factors
    for group, factor in zip(run.optimiser.param_groups, factors, strict=True):
        group["lr"] = learning_rate(run) * factor
    run.optimiser.step()
    run.averaged.update_parameters(run.model)
    run.content_weight.follow(float(losses.kept))
    run.step += 1
    return summary(losses) | {"content_weight": run.content_weight.value}


def train(run: Run, context: TrainingContext, photos: list[Tensor], out: Path) -> None:
    """Step until the minutes are spent, with reports and a checkpoint as it goes."""
    reported = run.seconds
    recent: list[dict[str, float]] = []

    def sampler(kind: BatchKind) -> CropSampler:
        return CropSampler(photos, size_px=kind.size_px, seed=run.recipe.seed + run.step)

    with tqdm(
        mininterval=2, total=round(run.recipe.minutes * 60), initial=round(run.seconds), unit="s"
    ) as bar:
        kinds = [(kind, sampler(kind)) for kind in run.recipe.batches]
        shares = torch.tensor([kind.share for kind in run.recipe.batches])
        while run.spent < 1:
            began = time.monotonic()
            kind, crops = kinds[int(torch.multinomial(shares, 1, generator=run.random))]
            recent.append(train_step(run, crops.batch(kind.batch), context, passes=kind.passes))
            run.seconds += time.monotonic() - began
            bar.set_postfix(step=run.step, loss=f"{recent[-1]['style']:.3f}")
            bar.update(round(run.seconds) - bar.n)
            if run.seconds - reported > run.recipe.report_every_s:
                report(run, context, recent, out)
                reported, recent = run.seconds, []
    report(run, context, recent, out)


def report(run: Run, context: TrainingContext, recent: list[dict[str, float]], out: Path) -> None:
    """Checkpoint, weights, a line in the log and a contact sheet, all of the averaged network."""
    run.save(out / "draft.checkpoint")
    model = run.averaged.module
    assert isinstance(model, DraftModel)  # noqa: S101 - for the type checker
    export(model, out / DRAFT_WEIGHTS)
    save_file(preset_codes(run, model, context), out / PRESET_CODES)
    line: dict[str, float] = {"step": run.step, "seconds": round(run.seconds)}
    for name in recent[0] if recent else ():
        line[name] = round(sum(losses[name] for losses in recent) / len(recent), 4)
    line |= context.validate(model, out / f"sheet-{run.step:06}.jpg")
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    tqdm.write(json.dumps(line))


@torch.no_grad()
def preset_codes(run: Run, model: DraftModel, context: TrainingContext) -> dict[str, Tensor]:
    """The presets' codes under the names that `FeedForward` looks for."""
    styles = context.bank.preset_styles()
    codes = model.shifted(model.code(styles.colors, styles.seen), run.offsets)
    return {
        code_key(file_sha256(preset.path), preset.brush): code[None].half().cpu().contiguous()
        for preset, code in zip(context.presets, codes, strict=True)
    }


def export(model: DraftModel, path: Path) -> None:
    """The model's weights in half precision."""
    tensors = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, path)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/ and styles/")
    parser.add_argument("--out", type=Path, default=Path("out/draft"))
    parser.add_argument("--presets", type=Path, default=PRESETS, help="their presets.toml")
    parser.add_argument("--start", type=Path, help="weights to begin with instead of random ones")
    parser.add_argument("--encoder", type=Path, help="weights of its encoder, if not ours")
    parser.add_argument(
        "--cache", type=Path, default=DEFAULT_CACHE_DIR, help="where the judge's VGG16 lies"
    )
    parser.add_argument(
        "--critic", choices=("vgg16", "slim"), help="what sees every painting; vgg16 on a GPU"
    )
    parser.add_argument("--minutes", type=float, default=Recipe().minutes)
    parser.add_argument("--keep", type=float, default=Recipe().keep)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    asked = parser.parse_args()
    recipe = Recipe(minutes=asked.minutes, keep=asked.keep, seed=asked.seed)
    torch.manual_seed(recipe.seed)
    asked.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(asked.device)
    critic: EncoderName = asked.critic or ("vgg16" if device.type == "cuda" else "slim")
    paths = TrainingPaths(asked.data, asked.presets, asked.out, asked.encoder, asked.cache, critic)
    context = load_context(paths, recipe, device=device)
    model = DraftModel()
    model.coder.fit(context.bank.styles.seen)
    if asked.start:
        model.load_state_dict({k: t.float() for k, t in load_file(asked.start).items()})
    run = Run(placed(model, device), recipe, presets=len(context.presets))
    if asked.resume:
        run.restore(asked.out / "draft.checkpoint")
    photos = load_pictures(picture_paths(asked.data / "photos", "train"), device)
    train(run, context, photos, asked.out)


if __name__ == "__main__":
    main()
