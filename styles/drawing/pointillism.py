"""Pointillism: a park by the river on a summer afternoon, in dots of pure divided colour.

Every dot is one of a dozen unmixed paints. Near a tone's own paint lie others that mend it in the
eye, and shadows hold the complement of the light (Chevreul's simultaneous contrast).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from styles.drawing.curves import circle, curve, ellipse, move, rectangle, ribbon
from styles.drawing.fields import (
    SIZE,
    Colors,
    Field,
    Points,
    Rng,
    clip,
    emboss,
    luminance,
    mix,
    noise,
    sample,
)
from styles.drawing.grounds import canvas
from styles.drawing.palette import Color, palette, ramp, rgb, vary
from styles.drawing.strokes import scatter, thin_out
from styles.drawing.surface import Surface

SEED = 1886

PAINTS = palette(
    "#fff6d8",
    "#ffe15a",
    "#f9b233",
    "#f47b2c",
    "#e0402f",
    "#e77fa3",
    "#a24a9a",
    "#4b3a99",
    "#2451b0",
    "#4f9fdc",
    "#9fd6e8",
    "#1d7f6a",
    "#2f9443",
    "#93c445",
    "#1c2357",
)
LAYERS = ((11.0, 6.8, 0.35), (8.2, 4.7, 0.55), (7.0, 3.6, 0.75), (6.4, 2.6, 1.0))
"""Of each layer of dots: the spacing, the radius (px), and how strictly it keeps to the tone."""


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    tones, edges = _scene(rng)
    return _dot(tones, edges, rng)


def _scene(rng: Rng) -> tuple[Colors, Field]:
    scene = Surface(SIZE, _ground(rng))
    _far_bank(scene, rng)
    _sails(scene)
    _trees(scene, rng)
    for x, y, size, dress, shade in PEOPLE:
        _shadow(scene, x, y, size)
        _person(scene, x, y, size, rgb(dress), rgb(shade))
    _flowers(scene, rng)
    tones = scene.colors() + 0.05 * noise(SIZE, rng, cell=70, octaves=3)[..., None]
    return clip(tones), np.hypot(*np.gradient(luminance(tones)))


def _ground(rng: Rng) -> Colors:
    """Sky, river and lawn, with the light of a late sun."""
    height = SIZE[1]
    y = np.arange(height, dtype=np.float32)[:, None] + 8 * noise(SIZE, rng, cell=150, octaves=3)
    stops = (
        (0, "#5f9fe0"),
        (150, "#9cc9ee"),
        (270, "#fbe6b4"),
        (330, "#fbd0a4"),
        (338, "#6fa6d8"),
        (430, "#4a86c8"),
        (560, "#7fb4d8"),
        (600, "#d9c86a"),
        (640, "#a8c64e"),
        (820, "#7fb03f"),
        (1024, "#4a8a3a"),
    )
    ground = ramp(y, stops)
    clouds = clip(1.8 * noise(SIZE, rng, cell=(330, 80), octaves=4) - 0.1) * (y < 290)
    glitter = clip(2.4 * noise(SIZE, rng, cell=(70, 7), octaves=2) - 0.6) * (y > 345) * (y < 590)
    dapple = clip(2.0 * noise(SIZE, rng, cell=(190, 46), octaves=3)) * (y > 610)
    ground = mix(ground, rgb("#fff3e2"), 0.85 * clouds)
    ground = mix(ground, rgb("#fff0c0"), 0.8 * clip(glitter))
    return mix(ground, rgb("#e9e06a"), 0.55 * clip(dapple))


def _far_bank(scene: Surface, rng: Rng) -> None:
    top = curve([(-20, 318), (180, 292), (420, 306), (700, 284), (980, 300), (1300, 276)])
    scene.fill(np.vstack([top, [(1300, 346), (-20, 346)]]), rgb("#5d9a72"))
    for x in range(-10, 1300, 26):
        high = rng.uniform(10, 34)
        tone = mix(rgb("#3f7f6a"), rgb("#9cc46a"), float(rng.random()))
        scene.fill(ellipse(x, 312 - high * 0.4, 24, high), tone)
    for x, wide, wall in ((520, 44, "#fbe3b8"), (585, 34, "#f4c6a8"), (900, 52, "#fdeccb")):
        scene.fill(rectangle(x, 292, x + wide, 340), rgb(wall))
        scene.fill(
            np.array([(x - 6, 293), (x + wide / 2, 268), (x + wide + 6, 293)]), rgb("#d9663f")
        )


def _sails(scene: Surface) -> None:
    for x, y, size in ((330, 430, 1.0), (640, 390, 0.62), (1010, 470, 1.3), (120, 380, 0.5)):
        white, shade = rgb("#fff8e6"), rgb("#b9c4ec")
        main = move(np.array([(4, -4), (4, -124), (66, -10)]) * size, x, y)
        jib = move(np.array([(-3, -8), (-3, -108), (-46, -10)]) * size, x, y)
        hull = move(np.array([(-62, 0), (72, 0), (52, 17), (-46, 17)]) * size, x, y)
        for shape, tone in ((main, white), (jib, shade), (hull, rgb("#8a3f3a"))):
            scene.fill(shape, tone)
            mirrored = np.stack([shape[:, 0], 2 * y + 17 * size - 0.8 * (shape[:, 1] - y)], 1)
            scene.fill(mirrored - np.array([0, y]), tone, alpha=0.55)


def _trees(scene: Surface, rng: Rng) -> None:
    """A great tree on the right, a smaller one on the left, and their shade on the lawn."""
    for x, foot, size in ((1120, 760, 1.0), (60, 700, 0.72)):
        scene.fill(ellipse(x - 150 * size, foot + 28, 330 * size, 42 * size), rgb("#2d5f4a"))
        trunk = curve(
            [(x, foot + 20), (x - 14 * size, foot - 160), (x + 16 * size, foot - 380 * size)]
        )
        scene.fill(ribbon(trunk, np.linspace(70, 34, len(trunk)) * size), rgb("#6a4638"))
        lit = move(trunk, -14 * size, 0)
        scene.fill(ribbon(lit, np.linspace(24, 10, len(lit)) * size), rgb("#c98a4f"))
        for tone, count, lift in (
            ("#1f4f4a", 110, 0.0),
            ("#2f7a45", 130, -24.0),
            ("#6faa3c", 110, -46.0),
            ("#c8d24a", 70, -66.0),
        ):
            for _ in range(count):
                right, down = clip(rng.normal(0, 1, 2), -1.9, 1.9) * (120, 84)
                wide, tall = rng.uniform(13, 32, 2) * (1, 0.75) * size
                middle = (x + (right + 0.3 * lift) * size, foot + (down + lift - 500) * size)
                leafy = ellipse(*middle, wide, tall)
                scene.fill(leafy, vary(rgb(tone), rng, light=0.04, hue=0.03))


PEOPLE = (
    (700, 690, 0.62, "#f4f0ea", "#e77f8a"),
    (765, 695, 0.6, "#3f4fa0", "#f2d25a"),
    (420, 720, 0.7, "#e8a23c", "#d8503f"),
    (955, 790, 0.95, "#d9503f", "#fff2cf"),
    (235, 930, 1.5, "#4a4a9c", "#e9603f"),
    (395, 950, 1.4, "#e58fae", "#fff0c8"),
)


def _shadow(scene: Surface, x: float, y: float, size: float) -> None:
    scene.fill(ellipse(x - 66 * size, y + 4, 105 * size, 15 * size), rgb("#2b5560"))


def _person(scene: Surface, x: float, y: float, size: float, dress: Color, shade: Color) -> None:
    """Somebody in a long dress under a parasol."""

    def place(points: Points) -> Points:
        return move(points * size, x, y)

    skirt = curve([(-46, 2), (-30, -74), (-13, -116), (15, -116), (44, -60), (56, 2)])
    scene.fill(place(skirt), dress)
    dark = curve([(-46, 2), (-30, -74), (-13, -116), (-4, -90), (-14, 2)])
    scene.fill(place(dark), mix(dress, rgb("#2c3a80"), 0.45))
    body = curve([(-15, -112), (-19, -160), (0, -174), (20, -160), (16, -112)])
    scene.fill(place(body), mix(dress, rgb("#ffffff"), 0.12))
    arm = curve([(14, -158), (34, -140), (38, -172)])
    scene.fill(place(ribbon(arm, 10)), dress)
    scene.fill(place(circle(1, -190, 15)), rgb("#f0b890"))
    scene.fill(place(ellipse(-3, -196, 16, 13)), rgb("#5a3426"))
    pole = np.array([(38, -150), (30, -268)], float)
    scene.line(place(pole), rgb("#5a3a30"), 4 * size)
    dome = curve([(-56, -228), (-34, -266), (18, -282), (72, -258), (98, -216)])
    scene.fill(place(dome), shade)
    lower = curve([(-56, -228), (-20, -240), (20, -236), (60, -232), (98, -216), (20, -252)])
    scene.fill(place(lower), mix(shade, rgb("#4b3a99"), 0.4))


def _flowers(scene: Surface, rng: Rng) -> None:
    for _ in range(420):
        x, y = rng.uniform(0, 1280), 1024 - abs(rng.normal(0, 60))
        tone = ("#e0402f", "#fff6d8", "#f9b233", "#e77fa3", "#a24a9a")[rng.integers(5)]
        scene.dot(x, y, rng.uniform(4, 9), rgb(tone))


def _dot(tones: Colors, edges: Field, rng: Rng) -> Colors:
    linen = canvas(SIZE, rng)
    ground = mix(rgb("#e8d9b8"), tones, 0.35) * (0.95 + 0.05 * linen)[..., None]
    sheet = Surface(SIZE, ground)
    for spacing, radius, strict in LAYERS:
        places = scatter(SIZE, rng, spacing=spacing, margin=8)
        if strict == 1.0:
            places = thin_out(places, clip(0.35 + 30 * edges), rng)
        wanted = sample(tones, places)
        dots = _divided(wanted, strict, rng)
        sizes = radius * rng.uniform(0.75, 1.2, len(places))
        for (x, y), size, dot in zip(places.tolist(), sizes.tolist(), dots, strict=True):
            sheet.dot(x, y, size, dot, alpha=0.95)
    picture = sheet.colors()
    relief = emboss(luminance(picture) + 0.12 * linen, depth=0.10)
    return clip(picture + relief[..., None])


def _divided(wanted: NDArray[np.float32], strict: float, rng: Rng) -> Colors:
    """For every wanted colour (n, 3) a paint: likely near ones, so that together they mix to it."""
    distance = ((wanted[:, None] - PAINTS[None]) ** 2).sum(-1)
    # Gumbel noise draws from the softmax of the distances without working the softmax out.
    doubt = rng.gumbel(size=distance.shape) * (0.14 - 0.1 * strict)
    chosen = PAINTS[(-distance + doubt).argmax(1)]
    dots = mix(chosen, wanted, 0.15 + 0.30 * strict)
    complement = clip(1.15 * wanted.mean(-1, keepdims=True) + 0.65 * (wanted.mean() - wanted))
    spark = rng.random(len(wanted)) < 0.07 * (1.2 - strict)
    return vary(np.where(spark[:, None], complement, dots), rng, light=0.025, hue=0.02)
