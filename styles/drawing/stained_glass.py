"""Stained glass: a sun over hills, a river and lilies, in leaded pieces lit from within."""

from __future__ import annotations

import numpy as np

from styles.drawing.curves import (
    circle,
    curve,
    ellipse,
    move,
    rectangle,
    ribbon,
    rotate,
    symmetric,
    taper,
)
from styles.drawing.fields import SIZE, Colors, Points, Rng, noise
from styles.drawing.glass import Pane
from styles.drawing.palette import palette, ramp, rgb
from styles.drawing.surface import mask

SEED = 1250
SUN = (770.0, 330.0)

RUBY = palette("#b3122a", "#d0243a", "#8a0f2b")
COBALT = palette("#123a9c", "#1f57c4", "#0f2c78", "#2d74d6")
AMBER = palette("#f2a516", "#f7c233", "#e8801a")
MEADOW = palette("#1f7a3a", "#3fa04a", "#7cbb3f", "#11603f", "#a9c93c")
WATER = palette("#1d8fb8", "#53bfd0", "#9fe0dc", "#1671a8", "#d5f0e4")
TREES = palette("#0e5a3c", "#1c7d4e", "#4f9a3a", "#0b4a45", "#86ad34")


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    pane = Pane(SIZE, rng)
    _sky(pane, rng)
    _sun(pane)
    _hills(pane, rng)
    _river(pane)
    _tree(pane, rng)
    for x, y, size, tone in LILIES:
        _lily(pane, x, y, size, tone, rng)
    _border(pane)
    return pane.lit()


def _sky(pane: Pane, rng: Rng) -> None:
    """Rays from the sun, cut by rings that grow wider."""
    x, y = pane.grid
    right, down = x - SUN[0], y - SUN[1]
    distance = np.hypot(right, down)
    swing = noise(SIZE, rng, cell=260, octaves=2)
    ray = np.floor((np.arctan2(down, right) / (2 * np.pi) + 0.02 * swing) * 30)
    ring = np.floor((distance * (1 + 0.06 * swing)) ** 0.62 / 7.4 + 0.37 * (ray % 2))
    tones = ramp(
        distance + 40 * swing,
        (
            (90, "#ffe27a"),
            (190, "#f9a63a"),
            (300, "#e8605a"),
            (430, "#a85aa8"),
            (600, "#4a6ad0"),
            (860, "#1b3c9e"),
        ),
    )
    everywhere = np.ones_like(x)
    pane.cut(everywhere, (ray * 1000 + ring).astype(np.int64), tones)


def _sun(pane: Pane) -> None:
    x, y = SUN
    pane.form(circle(x, y, 112), rgb("#f08a1c"))
    for index in range(14):
        angle = index * 2 * np.pi / 14
        petal = move(rotate(_petal(100, 40), angle), x, y)
        pane.form(petal, (rgb("#ffd84a"), rgb("#f7b02a"))[index % 2])
    pane.form(circle(x, y, 46), rgb("#e2452e"))
    pane.form(circle(x, y, 26), rgb("#fff0a8"))


def _petal(length: float, width: float) -> Points:
    """A petal that points upwards from the origin."""
    half = [(0, 0), (width * 0.42, -length * 0.42), (width * 0.3, -length * 0.75), (0, -length)]
    right = curve(half)
    return symmetric(right)


HILLS = (
    (
        ((-20, 560), (190, 455), (330, 520), (520, 430), (700, 545)),
        ((900, 470), (1120, 540), (1300, 440)),
        ("#3d3f9e", "#6a5fc0", "#a583cf", "#2b2f86"),
        58,
        1.5,
    ),
    (
        ((-20, 610), (240, 560), (480, 610), (700, 572)),
        ((980, 620), (1300, 560)),
        ("#1a6a86", "#2f8f8c", "#58b09a", "#13527a"),
        60,
        -0.4,
    ),
    (
        ((-20, 700), (260, 650), (560, 690)),
        ((860, 655), (1300, 700)),
        ("#1f7a3a", "#3fa04a", "#7cbb3f", "#11603f", "#a9c93c"),
        74,
        0.15,
    ),
)


def _hills(pane: Pane, rng: Rng) -> None:
    for left, right, tones, size, turn in HILLS:
        ridge = curve([*left, *right])
        inside = mask(SIZE, np.vstack([ridge, [(1300, 1060), (-20, 1060)]]))
        pane.shatter(inside, palette(*tones), size=size, stretch=1.9, turn=turn)
    _grove(pane, rng)


def _grove(pane: Pane, rng: Rng) -> None:
    for x, y, radius in ((90, 640, 52), (165, 628, 66), (1130, 628, 60), (1215, 612, 78)):
        crown = circle(x, y, radius, spacing=16)
        inside = mask(SIZE, curve(crown + rng.normal(0, 3, crown.shape), closed=True))
        pane.form(rectangle(x - 7, y + radius * 0.8, x + 7, y + radius + 46), rgb("#6d3f22"))
        pane.shatter(inside, TREES, size=30)


def _river(pane: Pane) -> None:
    """From the far hills towards us, wider and wider."""
    course = curve([(800, 668), (720, 705), (800, 765), (660, 850), (560, 960), (500, 1070)])
    widths = np.linspace(16, 400, len(course)) ** 1.02
    pane.shatter(mask(SIZE, ribbon(course, widths)), WATER, size=34, stretch=3.4)


def _tree(pane: Pane, rng: Rng) -> None:
    """A trunk along the left side, its branches, and leaves that hang into the sky."""
    trunk = curve([(120, 1060), (150, 830), (128, 600), (170, 380), (150, 180), (190, 20)])
    widths = np.linspace(96, 34, len(trunk))
    bark = palette("#5b3a2a", "#7d5233", "#3f2a2c", "#8f6a3a")
    branches = [
        (curve([(160, 420), (270, 330), (390, 300), (520, 225)]), 30),
        (curve([(152, 220), (280, 150), (420, 140), (560, 90)]), 26),
        (curve([(150, 300), (90, 220), (60, 120)]), 20),
    ]
    for path, width in branches:
        inside = mask(SIZE, ribbon(path, np.linspace(width, 6, len(path))))
        pane.shatter(inside, bark, size=44)
    pane.shatter(mask(SIZE, ribbon(trunk, widths)), bark, size=36, stretch=2.6, turn=1.5)
    for path, _ in branches:
        for place in path[14::9]:
            for _ in range(2):
                turn = rng.uniform(0, 2 * np.pi)
                size = rng.uniform(42, 66)
                leaf = move(rotate(_petal(size, size * 0.75), turn), place[0], place[1])
                pane.form(leaf, TREES[rng.integers(len(TREES))] * rng.uniform(0.9, 1.4))


LILIES = (
    (1040, 830, 118, "white"),
    (1180, 720, 92, "rose"),
    (330, 850, 108, "rose"),
    (905, 930, 84, "rose"),
    (470, 950, 84, "white"),
    (1190, 940, 92, "white"),
)
LILY_TONES = {
    "white": palette("#fdf6dc", "#f3e3b0", "#fffbe9", "#e8d7c0"),
    "rose": palette("#e8467c", "#f48fb0", "#c42463", "#f7b7c4"),
}


def _lily(pane: Pane, x: float, y: float, size: float, tone: str, rng: Rng) -> None:
    for lean in (-0.5, -0.15, 0.3, 0.6):
        tip = (x + 260 * lean, y + 60 - 120 * (1 - abs(lean)) * rng.uniform(0.2, 1))
        blade = curve([(x + 40 * lean, 1070), (x + 110 * lean, (1070 + tip[1]) / 2), tip])
        outline = ribbon(blade, size * 0.34 * taper(len(blade), start=0.8))
        pane.form(outline, MEADOW[rng.integers(len(MEADOW))])
    tones = LILY_TONES[tone]
    start = rng.uniform(0, 1)
    for ring, reach in ((0, 1.0), (1, 0.78)):
        for index in range(6 - ring):
            turn = start + 0.5 * ring + index * 2 * np.pi / (6 - ring)
            petal = move(rotate(_petal(size * reach, size * 0.62), turn), x, y)
            halves = mask(SIZE, petal)
            across, down = pane.grid
            side = (across - x) * np.cos(turn) + (down - y) * np.sin(turn) > 0
            colors = np.stack([tones[(index + ring) % 4], tones[(index + 1 + ring) % 4]])
            pane.cut(halves, side.astype(np.int64), colors)
    pane.form(ellipse(x, y, size * 0.17, size * 0.17), rgb("#f7b420"))
    pane.form(circle(x, y, size * 0.08), rgb("#d9501e"))


def _border(pane: Pane) -> None:
    x, y = pane.grid
    width, height = SIZE
    edge = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    cells = (np.floor(x / 53.4) + 100 * np.floor(y / 51.2)).astype(np.int64)
    pane.cut((edge < 46).astype(float), cells, np.vstack([RUBY, COBALT, COBALT]))
    pane.cut((edge < 16).astype(float), cells // 2 + 7, AMBER)
    for left in (46, width - 46):
        for top in (46, height - 46):
            pane.form(circle(left, top, 38), rgb("#f7c233"))
            pane.form(circle(left, top, 22), rgb("#b3122a"))
