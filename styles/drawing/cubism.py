"""Cubism: a guitar, a bottle and a bowl on a table, seen from many sides at once.

A still life is painted plainly first; then the plane is split into shards, each of which shows its
piece of it a little shifted and turned, with a gradient and a brush direction of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from styles.drawing.curves import circle, curve, ellipse, move, rectangle, ribbon, rotate, symmetric
from styles.drawing.fields import (
    SIZE,
    Colors,
    Field,
    Points,
    Rng,
    clip,
    distance_to_border,
    emboss,
    grid,
    luminance,
    mix,
    noise,
    sample,
)
from styles.drawing.grounds import canvas
from styles.drawing.palette import palette, ramp, rgb
from styles.drawing.strokes import paint_strokes, scatter
from styles.drawing.surface import Surface

SEED = 1911

DARK = rgb("#1f1a17")
CREAM = rgb("#e9ddc0")
EARTH = palette("#8a5a33", "#b98a52", "#d8bd8a", "#6b4a30", "#7d7a68", "#a9a58e", "#4e5a5e")


CUTS = (-1.15, -0.62, -0.2, 0.42, 0.85, 1.25, 1.57)
"""The directions of the cuts, in radians."""


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    shards = _shards(rng)
    plain = _still_life(rng)
    broken = _break(plain, shards, rng)
    painted = _paint(broken, shards, rng)
    painted = _edges(painted, shards, rng)
    return _finish(_accents(painted, rng), rng)


def _still_life(rng: Rng) -> Colors:
    life = Surface(SIZE, rgb("#6f6a58"))
    for _ in range(26):
        corner = rng.uniform((0, 0), SIZE)
        plane = corner + rng.uniform(-240, 240, (4, 2))
        life.fill(plane, EARTH[rng.integers(len(EARTH))], alpha=0.75)
    table = np.array([(60, 700), (980, 610), (1260, 820), (1180, 1040), (0, 1040), (0, 820)], float)
    life.fill(table, rgb("#8d5f38"))
    cloth = np.array([(120, 790), (520, 700), (760, 900), (420, 1040), (160, 1010)], float)
    life.fill(cloth, CREAM)
    _newspaper(life, rng)
    _bottle(life, 320, 470)
    _bowl(life, 930, 690)
    _guitar(life)
    _glass(life, 1085, 420)
    return life.colors()


def _newspaper(life: Surface, rng: Rng) -> None:
    sheet = rotate(rectangle(-150, -100, 150, 100), -0.3)
    life.fill(move(sheet, 330, 860), rgb("#e5dcc3"))
    for row in range(13):
        for column in (-132, 10):
            end = column + rng.uniform(80, 122)
            line = np.array([(column, -84 + 14 * row), (end, -84 + 14 * row)])
            life.line(move(rotate(line, -0.3), 330, 860), rgb("#3a352e"), 4.5 if row else 11)


def _bottle(life: Surface, x: float, y: float) -> None:
    half = curve([(22, -310), (22, -190), (34, -150), (74, -90), (78, 60), (76, 250)])
    outline = symmetric(half)
    life.fill(move(outline, x, y), rgb("#2f4a40"))
    life.fill(move(half * (0.45, 1) - (36, 0), x, y), rgb("#6f8f78"))
    life.fill(move(rectangle(-76, 20, 76, 150), x, y), rgb("#e2d2a4"))
    life.fill(move(rectangle(-50, 48, 50, 62), x, y), rgb("#9a3f2c"))
    life.fill(move(rectangle(-50, 84, 30, 92), x, y), DARK)
    life.fill(move(rectangle(-25, -322, 25, -270), x, y), rgb("#9a3f2c"))


def _bowl(life: Surface, x: float, y: float) -> None:
    for right, down, radius, tone in (
        (-90, -60, 62, "#b5562f"),
        (10, -84, 68, "#c9913f"),
        (100, -52, 56, "#7d8446"),
        (44, -38, 50, "#a8452f"),
    ):
        life.fill(circle(x + right, y + down, radius), rgb(tone))
        life.fill(circle(x + right - 14, y + down - 16, radius * 0.45), rgb(tone) * 1.3)
    dish = curve([(-190, -40), (-130, 60), (0, 100), (130, 60), (190, -40)])
    life.fill(move(dish, x, y), rgb("#dcd6c2"))
    life.fill(move(dish * (0.5, 0.9) + (80, 4), x, y), rgb("#7b8386"))
    life.fill(move(rectangle(-60, 92, 60, 124), x, y), rgb("#a39d8a"))


def _glass(life: Surface, x: float, y: float) -> None:
    half = curve([(64, -110), (58, -20), (34, 40), (9, 64), (9, 130), (58, 148)])
    outline = move(symmetric(half), x, y)
    life.fill(outline, rgb("#b9c0b4"))
    life.fill(ellipse(x, y - 40, 58, 20), rgb("#8a3a34"))
    life.fill(move(half[: len(half) // 2] * (0.5, 1), x, y), rgb("#e8eadc"))


def _guitar_outline() -> Points:
    half = curve(
        [
            (30, -170),
            (104, -190),
            (150, -120),
            (112, -30),
            (120, 30),
            (186, 120),
            (150, 240),
            (0, 280),
        ]
    )
    return symmetric(half)


def _guitar_place(points: Points) -> Points:
    return move(rotate(points * 1.12, 0.42), 640, 590)


def _guitar(life: Surface) -> None:
    body = _guitar_outline()
    life.fill(_guitar_place(body), rgb("#c98a43"))
    life.fill(_guitar_place(body * (0.5, 0.96) - (62, 0)), rgb("#e2b469"))
    life.fill(_guitar_place(rectangle(-30, -470, 30, -60)), rgb("#3b281d"))
    life.fill(_guitar_place(rectangle(-44, -560, 44, -465)), rgb("#5a3a26"))
    life.fill(_guitar_place(circle(0, 10, 62)), rgb("#241a16"))
    life.line(_guitar_place(circle(0, 10, 72)), rgb("#8a3f2a"), 9, closed=True)
    life.fill(_guitar_place(rectangle(-80, 170, 80, 194)), rgb("#2d1f19"))
    for fret in range(-440, -60, 44):
        life.line(_guitar_place(np.array([(-30, fret), (30, fret)], float)), rgb("#c8b27a"), 4)
    for string in np.linspace(-22, 22, 6):
        wire = np.array([(string, -500), (string, 182)])
        life.line(_guitar_place(wire), rgb("#efe3c2"), 2.6)


def _shards(rng: Rng) -> NDArray[np.int64]:
    """Which shard every pixel belongs to: the plane is cut in two again and again.

    Cuts keep to a few directions, and shards are smaller in the middle, where the things are.
    """
    width, height = SIZE
    labels = np.zeros(width * height, np.int64)
    waiting, count = [np.arange(width * height)], 0
    while waiting:
        pixels = waiting.pop()
        x, y = pixels % width, pixels // width
        far = np.hypot(x.mean() - 640, (y.mean() - 540) * 1.2) / 600
        if len(pixels) < (3600 + 26000 * far**2) * rng.uniform(0.6, 1.7):
            labels[pixels] = count
            count += 1
            continue
        angle = rng.choice(CUTS) + rng.normal(0, 0.09)
        across = x * np.sin(angle) - y * np.cos(angle)
        first = across < np.quantile(across, rng.uniform(0.34, 0.66))
        waiting += [pixels[first], pixels[~first]]
    return labels.reshape(height, width)


def _break(plain: Colors, shards: NDArray[np.int64], rng: Rng) -> Colors:
    """Every shard shows its piece shifted, turned and lit in a way of its own."""
    count = int(shards.max()) + 1
    x, y = grid(SIZE)
    size = np.bincount(shards.ravel(), minlength=count)
    middle_x = (np.bincount(shards.ravel(), x.ravel()) / size)[shards]
    middle_y = (np.bincount(shards.ravel(), y.ravel()) / size)[shards]
    turn = rng.normal(0, 0.14, count)[shards]
    shift = rng.normal(0, 15, (2, count))
    right, down = x - middle_x, y - middle_y
    from_x = middle_x + right * np.cos(turn) - down * np.sin(turn) + shift[0][shards]
    from_y = middle_y + right * np.sin(turn) + down * np.cos(turn) + shift[1][shards]
    seen = sample(plain, np.stack([from_x, from_y], -1))
    light = rng.uniform(0, 2 * np.pi, count)[shards]
    slope = (right * np.cos(light) + down * np.sin(light)) / np.sqrt(size)[shards]
    tint = EARTH[rng.integers(0, len(EARTH), count)][shards]
    share = rng.choice([0.08, 0.2, 0.45], count, p=(0.5, 0.32, 0.18))[shards]
    lifted = (
        mix(seen, tint, share) + (0.30 * slope + rng.normal(0, 0.045, count)[shards])[..., None]
    )
    return _mute(clip(lifted))


def _mute(colors: Colors) -> Colors:
    """Towards the ochres, umbers and greys of the analytic years."""
    toned = ramp(
        luminance(colors),
        ((0, "#17120f"), (0.3, "#5b4330"), (0.55, "#a3835a"), (0.8, "#d9c79c"), (1, "#f4ecd6")),
    )
    return mix(colors, toned, 0.42)


def _paint(colors: Colors, shards: NDArray[np.int64], rng: Rng) -> Colors:
    """Short parallel touches, in another direction in every shard."""
    ways = rng.uniform(0, np.pi, int(shards.max()) + 1)[shards]
    angles = (ways + 0.25 * noise(SIZE, rng, cell=80, octaves=2)).astype(np.float32)
    surface = Surface(SIZE, colors)
    for spacing, length, width in ((14, 26, 11), (11, 19, 7)):
        starts = scatter(SIZE, rng, spacing=spacing)
        paint_strokes(surface, starts, angles, colors, rng, length=length, width=width, light=0.05)
    # The knife edge of a shard stays clean.
    return mix(surface.colors(), colors, 0.2 + 0.8 * np.exp(-distance_to_border(shards) / 4))


def _edges(painted: Colors, shards: NDArray[np.int64], rng: Rng) -> Colors:
    """Dark on one side of a cut and light on the other, both fading along it."""
    away = distance_to_border(shards)
    weight: Field = clip(0.62 + 0.75 * noise(SIZE, rng, cell=110, octaves=2))
    shadowed = rng.random(int(shards.max()) + 1)[shards] < 0.5
    glow = np.where(shadowed, -0.34, 0.20) * np.exp(-away / 13) * weight
    line = np.exp(-((away / 1.5) ** 2)) * weight
    return mix(clip(painted + glow[..., None]), DARK, 0.85 * line)


def _accents(painted: Colors, rng: Rng) -> Colors:
    """Fragments of contour that tell what it was: curves of the guitar, strings, the bottle."""
    ink = Surface(SIZE)
    body = _guitar_outline()
    for scale, shift in ((1.0, (0, 0)), (1.04, (26, -12)), (0.94, (-30, 16))):
        outline = move(_guitar_place(body * scale), *shift)
        for _ in range(8):
            start = int(rng.integers(0, len(outline) - 60))
            part = outline[start : start + int(rng.integers(40, 110))]
            ink.fill(ribbon(part, np.linspace(8.5, 2, len(part))), DARK, alpha=0.88)
    for string in np.linspace(-22, 22, 6):
        for _ in range(2):
            top = rng.uniform(-480, 60)
            wire = np.array([(string, top), (string, top + rng.uniform(90, 240))])
            ink.line(_guitar_place(wire), rgb("#f1e6c8") if rng.random() < 0.6 else DARK, 2.2)
    hole = _guitar_place(circle(0, 10, 64))
    ink.line(hole[: len(hole) * 2 // 3], DARK, 5)
    for x, y, radius in ((930, 660, 150), (320, 400, 90), (1085, 380, 84), (300, 860, 120)):
        arc = circle(x, y, radius)
        first = int(rng.integers(0, len(arc) // 2))
        ink.line(arc[first : first + len(arc) // 3], DARK, 3.6, alpha=0.8)
    for _ in range(16):
        foot = rng.normal((640, 520), (330, 260))
        ink.line(
            np.stack([foot, foot + rng.normal(0, 150, 2)]), DARK, rng.uniform(1.6, 4), alpha=0.75
        )
    return ink.over(painted)


def _finish(painted: Colors, rng: Rng) -> Colors:
    """Darker corners, as the painters left them, and paint on linen."""
    x, y = grid(SIZE)
    corner = np.hypot((x - 640) / 760, (y - 520) / 640)
    dim = mix(painted, rgb("#7d715c"), 0.5 * clip(corner - 0.72) / 0.5)
    height = luminance(gaussian_filter(dim, (0.7, 0.7, 0))) + 0.07 * canvas(SIZE, rng)
    return clip(dim + 0.30 * emboss(height)[..., None])
