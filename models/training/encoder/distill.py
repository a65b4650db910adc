"""Train the slim encoder: `python -m models.training.encoder.distill --data DIR`.

A least-squares start layer by layer (`least_squares`), then Adam on what 1x1 maps from the
student's layers leave unexplained of the teacher's (`student`), on crops whose features are worked
out once, or with `--fresh` anew for every batch (`distillation_set`). The optimisation takes
`--minutes`; `--resume` goes on from the last checkpoint. Leaves `slim_encoder.safetensors` and
`distill.json`, the log of figures, in `--out`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from models.devices.placement import placed
from models.devices.precision import half_precision
from models.encoders import Encoder, slim_encoder
from models.training.checkpoints import load_checkpoint, save_checkpoint
from models.training.data import MixedCrops, Split
from models.training.encoder.balance import balance
from models.training.encoder.distillation_set import DistillationSet, Examples, FreshCrops
from models.training.encoder.least_squares import Positions, initialise
from models.training.encoder.student import Student, Teacher, validate
from models.weight_files import SLIM_ENCODER

CHECKPOINT = "distill.checkpoint"
FIGURES = "distill.json"
WEIGHTS = SLIM_ENCODER

_LAYER_WEIGHTS = {"relu4_1": 2.0, "relu4_2": 2.0, "relu5_1": 2.0}
"""Of the layers in the loss, where not 1: paintings are matched deep, and deep is hardest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The numbers of one training."""

    minutes: float = 21
    """Wall-clock time of the optimisation; the learning rate's cosine spans it."""
    steps: int | None = None
    """So many steps instead of minutes: the same result on a busy and on an idle machine."""
    batch: int = 4
    size_px: int = 128
    learning_rate_peak: float = 6e-4
    warm_up_steps: int = 200
    """Adam's first steps are all of one size; at full rate they undo the least-squares start."""
    crops: int | None = 2000
    """Different crops in all; None for new ones in every batch, which a GPU has the time for."""
    fit_crops: int = 400
    """How many of them the least-squares start is solved on."""
    fit_positions: int = 60_000
    style_share: float = 3 / 8
    """Share of style pictures among the crops; the others are photographs."""
    validation_crops: int = 64
    checkpoint_every_s: float = 60
    seed: int = 0

    def spent(self, step: int, seconds: float) -> float:
        """The share of the training that is done: 0 at the start, 1 or more at the end."""
        if self.steps is not None:
            return step / self.steps if self.steps else 1.0
        return seconds / (self.minutes * 60)

    def learning_rate(self, step: int, spent: float) -> float:
        """Linear warm-up over steps, cosine over the share `spent`."""
        warm_up = min(1.0, (step + 1) / self.warm_up_steps)
        return self.learning_rate_peak * warm_up * (1 + math.cos(math.pi * spent)) / 2


@dataclass(slots=True)
class Run:
    """A training under way: everything a checkpoint keeps."""

    student: Student
    optimiser: torch.optim.Optimizer
    examples: Examples
    step: int = 0
    seconds: float = 0.0
    start: dict[str, float] = field(default_factory=dict)
    """The validation figures of the least-squares start."""

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        state = {
            "student": self.student.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "examples": self.examples.state(),
            "step": self.step,
            "seconds": self.seconds,
            "start": self.start,
        }
        save_checkpoint(state, path)


def begin(
    data: Path,
    teacher: Teacher,
    recipe: Recipe,
    held_out: Tensor,
    *,
    weights: Mapping[str, Tensor] | None = None,
) -> Run:
    """A run that starts from `weights` by name as far as they fit, else from least squares."""
    images = _crops(data, "train", recipe, held_out.device).batch(recipe.fit_crops)
    positions = Positions(crops=len(images), total=recipe.fit_positions, seed=recipe.seed)
    encoder = slim_encoder().to(held_out.device)
    known = _take_over(encoder, weights or {})
    samples = teacher.samples(images, positions)
    maps = initialise(encoder, samples, images, positions, known=known)
    student = placed(Student(encoder, maps), held_out.device)
    start = validate(student, teacher, held_out, recipe.batch)
    tqdm.write(json.dumps(start))
    examples = _examples(data, teacher, recipe, held_out.device)
    return Run(student, torch.optim.Adam(student.parameters()), examples, start=start)


def resume(
    data: Path, checkpoint: Path, teacher: Teacher, recipe: Recipe, device: torch.device
) -> Run:
    """The run that `checkpoint` keeps."""
    state = load_checkpoint(checkpoint)
    student = placed(Student.from_state(state["student"]), device)
    optimiser = torch.optim.Adam(student.parameters())
    optimiser.load_state_dict(state["optimiser"])
    examples = _examples(data, teacher, recipe, device)
    examples.restore(state["examples"])
    return Run(student, optimiser, examples, state["step"], state["seconds"], state["start"])


def train(run: Run, recipe: Recipe, checkpoint: Path) -> None:
    """Optimise until the minutes are spent, saving the checkpoint now and then and at the end."""
    saved_at_s = run.seconds
    with tqdm(
        total=1.0, bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    ) as bar:
        while (spent := recipe.spent(run.step, run.seconds)) < 1:
            began = time.monotonic()
            for group in run.optimiser.param_groups:
                group["lr"] = recipe.learning_rate(run.step, spent)
            loss = _step(run, recipe.batch)
            run.step += 1
            run.seconds += time.monotonic() - began
            bar.set_postfix(step=run.step, loss=f"{loss:.3f}", refresh=False)
            bar.update(min(1.0, recipe.spent(run.step, run.seconds)) - bar.n)
            if run.seconds - saved_at_s > recipe.checkpoint_every_s:
                run.save(checkpoint)
                saved_at_s = run.seconds
    run.save(checkpoint)


def _step(run: Run, batch: int) -> float:
    images, features = run.examples.batch(batch)
    with half_precision(images.device):
        errors = run.student.errors(images, features)
    loss = torch.stack(
        [_LAYER_WEIGHTS.get(name, 1.0) * error for name, error in errors.items()]
    ).sum()
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    run.optimiser.step()
    return loss.item()


def finish(run: Run, teacher: Teacher, held_out: Tensor, recipe: Recipe, out: Path) -> None:
    """Write the figures, then the balanced encoder in half precision."""
    figures = {
        "unexplained_at_start": run.start,
        "unexplained_at_end": validate(run.student, teacher, held_out, recipe.batch),
        "steps": run.step,
        "seconds": round(run.seconds),
    }
    (out / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    tqdm.write(json.dumps(figures))
    encoder = run.student.encoder
    balance(encoder, run.student.layer_maps(), held_out)
    tensors = encoder.stack.state_dict()
    save_file({name: t.half().cpu().contiguous() for name, t in tensors.items()}, out / WEIGHTS)


def distill(
    data: Path,
    out: Path,
    recipe: Recipe,
    *,
    device: torch.device,
    go_on: bool = False,
    start: Path | None = None,
) -> None:
    """The whole training, from `data` to the weights in `out`.

    `go_on` resumes a former one; a new one begins with the weights of the file `start` where its
    convolutions have this encoder's channels (others, and without a file all, by least squares).
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    checkpoint = out / CHECKPOINT
    held_out = _crops(data, "validation", recipe, device).batch(recipe.validation_crops)
    teacher = placed(Teacher(data), device)
    teacher.calibrate(held_out)
    if go_on and checkpoint.exists():
        run = resume(data, checkpoint, teacher, recipe, device)
    else:
        weights = None if start is None else load_file(start, device=device.type)
        run = begin(data, teacher, recipe, held_out, weights=weights)
    train(run, recipe, checkpoint)
    finish(run, teacher, held_out, recipe, out)


@torch.no_grad()
def _take_over(encoder: Encoder, weights: Mapping[str, Tensor]) -> set[str]:
    """The first convolutions whose shapes are those of `weights`, by name, once they have them.

    Of the first one that doesn't fit all that follow would see other channels.
    """
    known = set()
    own = encoder.stack.state_dict()
    for name, module in encoder.stack.named_children():
        if not isinstance(module, nn.Conv2d):
            continue
        tensor = weights.get(f"{name}.weight")
        if tensor is None or tensor.shape != module.weight.shape:
            break
        for part in ("weight", "bias"):
            own[f"{name}.{part}"].copy_(weights[f"{name}.{part}"])
        known.add(name)
    return known


def _examples(data: Path, teacher: Teacher, recipe: Recipe, device: torch.device) -> Examples:
    crops = _crops(data, "train", recipe, device)
    if recipe.crops is None:
        return FreshCrops(teacher, crops)
    return DistillationSet(teacher, crops.batch(recipe.crops), seed=recipe.seed)


def _crops(data: Path, split: Split, recipe: Recipe, device: torch.device) -> MixedCrops:
    return MixedCrops(
        data,
        split,
        size_px=recipe.size_px,
        style_share=recipe.style_share,
        seed=recipe.seed,
        device=device,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="photos/, styles/ and teacher/")
    parser.add_argument("--out", type=Path, default=Path("out/distill"))
    parser.add_argument("--minutes", type=float, default=Recipe().minutes)
    parser.add_argument("--start", type=Path, help="an encoder's weights to begin with")
    parser.add_argument("--crops", type=int, default=Recipe().crops, help="different ones in all")
    parser.add_argument("--batch", type=int, default=Recipe().batch)
    parser.add_argument("--fresh", action="store_true", help="new crops in every batch: for a GPU")
    parser.add_argument("--steps", type=int, help="so many steps instead of --minutes")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    args = parser.parse_args()
    crops = None if args.fresh else args.crops
    recipe = Recipe(
        minutes=args.minutes, steps=args.steps, batch=args.batch, crops=crops, seed=args.seed
    )
    device = torch.device(args.device)
    distill(args.data, args.out, recipe, device=device, go_on=args.resume, start=args.start)


if __name__ == "__main__":
    main()
