"""Starry swirls: a night landscape of thick directed strokes, after the post-impressionists."""

from __future__ import annotations

import numpy as np

from styles.drawing.curves import curve, ellipse, rectangle
from styles.drawing.fields import (
    SIZE,
    Colors,
    Field,
    Rng,
    clip,
    emboss,
    grid,
    luminance,
    mix,
    noise,
    smoothstep,
)
from styles.drawing.flow import draw_out, swirl
from styles.drawing.palette import ramp, rgb
from styles.drawing.strokes import paint_strokes, scatter, thin_out
from styles.drawing.surface import Surface, mask

SEED = 1889

WHIRLS = ((520, 330, 120, 1.6), (735, 420, 80, -1.5), (1010, 470, 60, 1.2))
STARS = (
    (150, 130, 34),
    (330, 90, 22),
    (905, 120, 40),
    (700, 130, 24),
    (1190, 370, 26),
    (880, 330, 20),
    (350, 480, 26),
    (620, 565, 17),
    (1050, 215, 15),
    (480, 60, 14),
)
MOON = (1130, 140, 62)

NIGHT = (
    (-1.0, "#0c1a4a"),
    (-0.5, "#16347f"),
    (-0.1, "#2258a8"),
    (0.25, "#3f86c4"),
    (0.6, "#86bfd8"),
    (1.0, "#dcead0"),
)
GLOW = ((0.0, "#2c62ac"), (0.3, "#7fb7bb"), (0.55, "#d8d583"), (0.8, "#f6c63c"), (1.0, "#fff3b8"))


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    colors, angles, detail = _scene(rng)
    picture = _paint(colors, angles, detail, rng)
    return _relief(picture, angles, rng)


def _scene(rng: Rng) -> tuple[Colors, Field, Field]:
    """The colours, the way of the brush, and where the brush must be small."""
    colors, angles = _sky(rng)
    detail = np.zeros_like(angles)
    for left, right, tones, slope in HILLS:
        colors, angles = _hill(colors, angles, left + right, tones, slope, rng)
    village, cover = _village(rng)
    colors = mix(colors, village, cover)
    detail = np.maximum(detail, cover)
    angles = np.where(cover > 0.5, np.pi / 2, angles)
    return _cypress(colors, angles, detail, rng)


def _sky(rng: Rng) -> tuple[Colors, Field]:
    x, y = grid(SIZE)
    wind = 0.35 * np.sin(x / 210 + y / 160) + 0.25 * noise(SIZE, rng, cell=320, octaves=2)
    circling = tuple((sx, sy, r * 1.5, 1.25) for sx, sy, r in STARS)
    angles = swirl(SIZE, wind, WHIRLS + circling + ((MOON[0], MOON[1], 105, 1.4),))
    bands = draw_out(noise(SIZE, rng, cell=17, octaves=1), angles, length=34)
    bands = 0.36 * bands
    lighter = 0.45 * smoothstep(250, 690, y) - 0.25
    for wx, wy, radius, _ in WHIRLS:
        distance = np.hypot(x - wx, y - wy) / radius
        lighter += 0.55 * np.exp(-((distance - 0.9) ** 2) * 3.0)
    colors = ramp(clip(bands + lighter, -1), NIGHT)
    for sx, sy, radius in (*STARS, MOON):
        distance = np.hypot(x - sx, y - sy) / radius
        rings = 0.10 * np.sin(distance * 7.5) * np.exp(-distance / 2)
        glow = clip(1.25 * np.exp(-((distance / 1.9) ** 2)) + rings + 0.25 * bands)
        colors = mix(colors, ramp(glow, GLOW), smoothstep(0.12, 0.5, glow))
    return _crescent(colors), angles


def _crescent(colors: Colors) -> Colors:
    x, y, radius = MOON
    disc = mask(SIZE, ellipse(x, y, radius * 0.72, radius * 0.72))
    bite = mask(SIZE, ellipse(x - 24, y - 14, radius * 0.6, radius * 0.6))
    colors = mix(colors, rgb("#f2b632"), disc * bite * 0.55)
    return mix(colors, rgb("#ffe98a"), disc * (1 - bite))


HILLS = (
    (
        ((0, 700), (160, 650), (330, 668), (520, 610)),
        ((700, 640), (880, 560), (1060, 600), (1280, 520)),
        ("#1b3f7d", "#3d78b4", "#8bb9c9"),
        0.25,
    ),
    (
        ((0, 748), (240, 712), (420, 735), (640, 690)),
        ((860, 715), (1060, 660), (1280, 690)),
        ("#123057", "#27627f", "#64a196"),
        0.15,
    ),
    (
        ((0, 905), (260, 850), (520, 885), (800, 840)),
        ((1040, 880), (1280, 830)),
        ("#2b3a1d", "#8a8a2f", "#dcb64a"),
        -0.1,
    ),
)


def _hill(
    colors: Colors,
    angles: Field,
    ridge: tuple[tuple[float, float], ...],
    tones: tuple[str, str, str],
    slope: float,
    rng: Rng,
) -> tuple[Colors, Field]:
    top = curve([(-40, ridge[0][1]), *ridge, (1320, ridge[-1][1])])
    inside = mask(SIZE, np.vstack([top, [(1320, 1100), (-40, 1100)]]))
    x, y = grid(SIZE)
    line = np.interp(x[0], top[:, 0], top[:, 1])
    lean = np.arctan(np.gradient(line))[None, :] + slope * np.sin((y - line[None, :]) / 38)
    lean = lean + 0.35 * noise(SIZE, rng, cell=150, octaves=2)
    rows = draw_out(noise(SIZE, rng, cell=13, octaves=1), lean.astype(np.float32), length=26)
    rows = 0.45 * rows - 0.35 * smoothstep(0, 120, y - line[None, :]) + 0.25
    dark, middle, light = tones
    paint = ramp(rows, ((-0.8, dark), (0.1, middle), (0.9, light)))
    edge = np.exp(-(((y - line[None, :]) / 5) ** 2))
    paint = mix(paint, rgb("#0e1d3c"), edge * 0.8)
    return mix(colors, paint, inside), np.where(inside > 0.5, lean, angles).astype(np.float32)


def _village(rng: Rng) -> tuple[Colors, Field]:
    town = Surface(SIZE)
    for _ in range(46):
        x = rng.normal(760, 210)
        y = 795 + rng.normal(0, 34) + 0.03 * abs(x - 760)
        if 330 < x < 1240:
            _house(town, x, y, rng.uniform(26, 56), rng)
    spire = np.array([[704, 792], [716, 570], [728, 792]], float)
    town.fill(rectangle(690, 715, 742, 830), rgb("#2b4a78"))
    town.fill(spire, rgb("#16264c"))
    town.line(spire, rgb("#0b1430"), 3, closed=True)
    town.fill(rectangle(709, 740, 723, 768), rgb("#ffd451"))
    for _ in range(60):
        x, y = rng.normal(760, 260), rng.uniform(790, 880)
        town.fill(ellipse(x, y, rng.uniform(10, 24), rng.uniform(8, 17)), _leaf(rng))
    return town.colors(), town.cover()


def _leaf(rng: Rng) -> Colors:
    return mix(rgb("#10302f"), rgb("#3f7a4f"), float(rng.random()))


def _house(town: Surface, x: float, y: float, width: float, rng: Rng) -> None:
    height = width * rng.uniform(0.5, 0.8)
    wall = mix(rgb("#27416e"), rgb("#7f9dae"), float(rng.random()))
    roof = mix(rgb("#1c2b52"), rgb("#8d5a3c"), float(rng.random()) ** 2)
    left, right = x - width / 2, x + width / 2
    gable = np.array([[left - 4, y - height], [x, y - height * 1.7], [right + 4, y - height]])
    town.fill(rectangle(left, y - height, right, y), wall)
    town.fill(gable, roof)
    town.line(np.vstack([gable, [(right, y)], [(left, y)]]), rgb("#0b1430"), 2.5, closed=True)
    for share in (0.3, 0.7):
        if rng.random() < 0.7:
            center = left + share * width
            town.fill(rectangle(center - 4, y - height * 0.7, center + 4, y - 8), rgb("#ffcf48"))


def _cypress(colors: Colors, angles: Field, detail: Field, rng: Rng) -> tuple[Colors, Field, Field]:
    """Two dark flames of leaves before the sky, which the strokes climb."""
    x, y = grid(SIZE)
    flame = np.zeros_like(x)
    for foot, tip, width in (((215, 1040), (232, 130), 92), ((118, 1040), (92, 430), 66)):
        t = clip((foot[1] - y) / (foot[1] - tip[1]), 0, 1)
        axis = foot[0] + (tip[0] - foot[0]) * t + 16 * np.sin(t * 9 + foot[0])
        licks = 1 + 0.30 * noise(SIZE, rng, cell=(60, 90), octaves=3)
        reach = width * np.sin(np.pi * np.minimum(t * 0.62 + 0.36, 1)) ** 0.9 * licks
        side = (x - axis) / np.maximum(reach, 1)
        inside = smoothstep(1.0, 0.86, abs(side)) * (t < 1) * (reach > 2)
        flame = np.maximum(flame, inside)
        climb = -np.pi / 2 + 0.55 * side + 0.5 * np.sin(y / 47 + foot[0])
        angles = np.where(inside > 0.5, climb, angles)
    tongues = draw_out(noise(SIZE, rng, cell=15, octaves=1), angles.astype(np.float32), length=28)
    stops = ((-1.6, "#070d16"), (-0.2, "#12291f"), (0.7, "#2d4a22"), (1.5, "#7a6a2a"))
    colors = mix(colors, ramp(tongues, stops), flame)
    return colors, angles.astype(np.float32), np.maximum(detail, 0.5 * flame)


def _paint(colors: Colors, angles: Field, detail: Field, rng: Rng) -> Colors:
    surface = Surface(SIZE, colors * 0.82)
    everywhere = 1 - 0.9 * detail
    for spacing, length, width, keep in (
        (19, 74, 17, everywhere),
        (13, 46, 11, everywhere),
        (11, 34, 7.5, np.ones_like(detail)),
        (7, 16, 5.0, detail),
    ):
        starts = thin_out(scatter(SIZE, rng, spacing=spacing, margin=10), keep, rng)
        paint_strokes(surface, starts, angles, colors, rng, length=length, width=width)
    return surface.colors()


def _relief(picture: Colors, angles: Field, rng: Rng) -> Colors:
    """Paint that stands up from the canvas: ridges of the bristles, lit from above left."""
    hairs = draw_out(noise(SIZE, rng, cell=3, octaves=1), angles, length=8, reduce=1)
    height = 0.35 * hairs + luminance(picture) * 1.6
    return clip(picture + 0.11 * clip(emboss(height), -1.2, 1.2)[..., None])
