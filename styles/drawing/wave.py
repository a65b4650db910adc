"""Great wave: flat colours, contour lines and foam, after the ukiyo-e prints.

Flat inks within dark lines, on fibrous paper that shows the grain of the wood.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from styles.drawing.curves import (
    circle,
    curve,
    move,
    rectangle,
    resample,
    ribbon,
    rotate,
    wobble,
)
from styles.drawing.fields import SIZE, Colors, Points, Rng, clip, grid, mix, smoothstep
from styles.drawing.grounds import washi, wood
from styles.drawing.palette import palette, ramp, rgb
from styles.drawing.surface import Surface, mask

SEED = 1831

LINE = rgb("#14284d")
PAPER = rgb("#efe2c4")
FOAM = rgb("#f6eedb")
BLUES = palette("#16386f", "#2f6a9f", "#8db9c4", "#1c4a86", "#dfe4d2", "#23578f", "#6fa3b8")

# Every curve runs up the face of a wave, from the trough to the crest; together, from the back of
# the wave to its front, they span it.
BREAKER = (
    ((-60, 1060), (-75, 900), (-85, 760), (-80, 640), (-70, 540), (-60, 430)),
    ((160, 1060), (105, 880), (88, 700), (100, 520), (140, 370), (205, 245)),
    ((330, 1060), (268, 860), (245, 660), (268, 450), (330, 280), (430, 160)),
    ((500, 1040), (420, 850), (390, 660), (408, 470), (485, 300), (610, 190)),
    ((740, 1000), (600, 860), (520, 700), (508, 520), (580, 375), (745, 300)),
)
SWELL = (
    ((520, 1080), (540, 1050), (560, 1030), (585, 1005), (610, 980), (640, 950)),
    ((700, 1080), (715, 1040), (735, 985), (765, 930), (800, 880), (850, 838)),
    ((900, 1080), (905, 1030), (915, 970), (935, 905), (970, 845), (1030, 795)),
    ((1100, 1080), (1100, 1030), (1100, 975), (1108, 920), (1125, 870), (1150, 830)),
    ((1340, 1080), (1335, 1040), (1330, 1000), (1328, 960), (1328, 915), (1330, 870)),
)


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    sheet = Surface(SIZE, _sky(rng))
    _mountain(sheet, rng)
    _far_sea(sheet, rng)
    _wave(sheet, BREAKER, rng, bands=26)
    _boat(sheet, 905, 800, -0.10, rng)
    _boat(sheet, 1130, 742, 0.07, rng)
    _wave(sheet, SWELL, rng, bands=22)
    _spray(sheet, rng)
    _seal(sheet, rng)
    return _print(sheet, rng)[:, ::-1]


def _sky(rng: Rng) -> Colors:
    """Bands of cloud and a dark edge wiped off to nothing: the printers' bokashi."""
    x, y = grid(SIZE)
    sky = ramp(
        y + 18 * np.sin(x / 170),
        ((0, "#3d5a78"), (90, "#8fa6a8"), (230, "#d9d3b8"), (520, "#efe2c4"), (690, "#e3b98e")),
    )
    surface = Surface(SIZE, sky)
    surface.fill(circle(1010, 250, 96), rgb("#c8432c"))
    for left, top, width in ((640, 96, 430), (860, 330, 520), (560, 470, 380), (1010, 152, 330)):
        _cloud(surface, left, top, width, rng)
    return surface.colors()


def _cloud(surface: Surface, left: float, top: float, width: float, rng: Rng) -> None:
    """A bar of mist with round ends, as the prints have it."""
    for row in range(3):
        start = left + rng.uniform(-60, 60)
        stretch = width * rng.uniform(0.55, 1)
        middle = np.array([[start, top + 21 * row], [start + stretch, top + 21 * row]])
        surface.line(middle, rgb("#f4ead2"), 17)
        for edge in (-8.5, 8.5):
            surface.line(move(middle, 0, edge), rgb("#b9b09a"), 1.2)


def _mountain(sheet: Surface, rng: Rng) -> None:
    slope = curve([(760, 660), (850, 610), (935, 520), (985, 452), (1003, 446), (1022, 452)])
    ridge = np.vstack([slope, curve([(1022, 452), (1075, 520), (1170, 612), (1290, 662)])])
    sheet.fill(ridge, rgb("#56789a"))
    teeth = [(944, 507), (962, 548), (975, 515), (992, 575), (1006, 522), (1022, 560)]
    snow = np.array([*teeth, (1036, 512), (1052, 540), (1064, 503), (1022, 452), (985, 452)])
    sheet.fill(snow, FOAM)
    sheet.line(ridge, LINE, 2.6)
    sheet.line(snow[:9], LINE, 1.6)
    for x in np.arange(800, 1260, 17):
        top = np.interp(x, ridge[:, 0], ridge[:, 1]) + 14
        fold = curve([(x, max(top, 585)), (x + (x - 1003) * 0.05, 630), (x, 662)])
        sheet.line(wobble(fold, rng, amount=2), rgb("#2c4a70"), 1.3, alpha=0.8)


def _far_sea(sheet: Surface, rng: Rng) -> None:
    """Low waves one before the other, each with a scalloped edge."""
    for row, top in enumerate(np.linspace(655, 985, 11)):
        step = 46 + 9 * row
        knots = []
        for index, x in enumerate(np.arange(330 - rng.uniform(0, step), 1400, step / 2)):
            knots.append((x, top + (9 + 1.3 * row) * (-1 if index % 2 else 0.7)))
        edge = curve(knots)
        body = np.vstack([edge, [(1400, 1060), (300, 1060)]])
        sheet.fill(body, BLUES[(2, 6, 1, 5)[row % 4]])
        sheet.line(edge, LINE, 2.2)
        for below in (8, 15, 21):
            ripple = wobble(move(edge, 0, below), rng, amount=1.2)
            tone = FOAM if below == 8 else LINE
            sheet.line(ripple, tone, 2.2 if below == 8 else 1.1, alpha=0.85)


def _wave(sheet: Surface, curves: ArrayLike, rng: Rng, *, bands: int) -> None:
    """Stripes of blue up the face, a line between them, fine lines within, foam on the crest."""
    face = _span(np.asarray(curves, float), np.linspace(0, 1, bands * 6 + 1))
    edges = np.sort(np.r_[0, rng.choice(np.arange(2, bands * 6 - 2), bands - 1, False), bands * 6])
    for index, (first, last) in enumerate(itertools.pairwise(edges)):
        band = np.vstack([face[first], face[last][::-1]])
        sheet.fill(band, BLUES[index % len(BLUES)])
        sheet.line(band, BLUES[index % len(BLUES)], 1, closed=True)
    for index in edges[1:]:
        sheet.line(face[index], LINE, 2.6)
    for index in np.setdiff1d(np.arange(1, bands * 6), edges)[::2]:
        start, end = sorted(rng.integers(0, len(face[index]), 2))
        if end - start > 12:
            tone = LINE if rng.random() < 0.65 else FOAM
            sheet.line(face[index][start:end], tone, rng.uniform(0.9, 1.7), alpha=0.85)
    _foam(sheet, face[:, -1], rng)
    front = face[-1][::-1]
    _foam(sheet, front[: len(front) // 3], rng, reach=0.75)


def _span(curves: NDArray[Any], along: NDArray[Any]) -> NDArray[Any]:
    """Curves (n, points, 2) between the given ones, smooth in both directions."""
    across = CubicSpline(np.linspace(0, 1, curves.shape[1]), curves, axis=1)
    fine = across(np.linspace(0, 1, 120))
    between: NDArray[Any] = CubicSpline(np.linspace(0, 1, len(curves)), fine, axis=0)(along)
    return between


def _foam(sheet: Surface, crest: Points, rng: Rng, *, reach: float = 1.0) -> None:
    """White billows along the crest and claws that reach out of them.

    All outlines are drawn before all fillings, so that billows which touch become one form.
    """
    places = resample(crest, 19)
    headings = np.arctan2(*np.gradient(places, axis=0).T[::-1])
    shapes: list[Points] = []
    for place, heading, growth in zip(
        places, headings, np.linspace(0.5, 1.15, len(places)), strict=True
    ):
        size = reach * growth
        shapes.append(_billow(place, 23 * size * rng.uniform(0.7, 1.3), rng))
        shapes.append(_billow(place + rng.normal(0, 15, 2), 15 * size, rng))
        for lean in (rng.uniform(-1.3, -0.2), rng.uniform(1.2, 2.1)):
            shapes += _claw(place, heading + lean, size * rng.uniform(52, 96), 15 * size, rng)
    for shape in shapes:
        sheet.line(shape, LINE, 5.4, closed=True)
    for shape in shapes:
        sheet.fill(shape, FOAM)
    for place in places:
        x, y = place + rng.normal(0, 13, 2)
        curl = rotate(circle(x, y, rng.uniform(5, 13) * reach), rng.uniform(0, 6), about=(x, y))
        sheet.line(curl[: int(len(curl) * 0.55)], rgb("#7fa6bb"), 1.8)
    _dapple(sheet, crest, rng, reach)


def _billow(center: Points, radius: float, rng: Rng) -> Points:
    knots = circle(center[0], center[1], radius, spacing=radius * 0.75)
    return curve(knots + rng.normal(0, radius * 0.12, knots.shape), closed=True)


def _claw(start: Points, angle: float, length: float, width: float, rng: Rng) -> list[Points]:
    """A finger of foam that bends down to a point, with two smaller ones at its end."""
    t = np.linspace(0, 1, 14)
    headings = angle + rng.uniform(0.5, 1.5) * t**1.4
    path = start + np.cumsum(np.stack([np.cos(headings), np.sin(headings)], 1), 0) * length / 14
    shapes = [ribbon(path, width * (1 - t) ** 0.7 + 1.6)]
    if length > 36:
        for joint in (5, 9):
            lean = headings[joint] + rng.choice([-0.8, 0.75])
            shapes += _claw(path[joint], lean, length * 0.42, width * 0.6, rng)
    return shapes


def _dapple(sheet: Surface, crest: Points, rng: Rng, reach: float) -> None:
    """Flecks of foam on the face, thinning out below the crest."""
    for place in resample(crest, 12):
        for _ in range(3):
            drop = abs(rng.normal(0, 70)) * reach
            x, y = place + np.array([rng.normal(0, 16) - 0.25 * drop, 24 + drop])
            sheet.dot(x, y, rng.uniform(1.2, 4.5) * (1 - min(drop, 180) / 220), FOAM)


def _spray(sheet: Surface, rng: Rng) -> None:
    for _ in range(260):
        x, y = 775 + abs(rng.normal(0, 120)), 330 + rng.normal(0, 95)
        radius = rng.gamma(1.6, 1.3)
        sheet.dot(x, y, radius + 1.2, LINE)
        sheet.dot(x, y, radius, FOAM)


def _boat(sheet: Surface, x: float, y: float, turn: float, rng: Rng) -> None:
    top = curve([(-150, -34), (-90, -6), (0, 4), (90, -8), (165, -52)])
    keel = curve([(165, -52), (100, 22), (0, 34), (-95, 24), (-150, -34)])
    for offset in np.linspace(-85, 80, 7):
        right, down = move(rotate(np.array([[offset, -22 + rng.normal(0, 2)]]), turn), x, y)[0]
        back = circle(right - 8, down + 14, 15)
        sheet.fill(back, rgb("#2d4f86") if rng.random() < 0.6 else rgb("#b5533a"))
        sheet.line(back, LINE, 1.8, closed=True)
        sheet.dot(right, down, 7.5, LINE)
        sheet.dot(right, down, 6, rgb("#eccfa3"))
    hull = move(rotate(np.vstack([top, keel]), turn), x, y)
    sheet.fill(hull, rgb("#c99a5b"))
    for below in (8, 17):
        plank = curve([(-125, below - 14), (0, below + 4), (130, below - 20)])
        sheet.line(move(rotate(plank, turn), x, y), LINE, 1.4)
    sheet.line(hull, LINE, 2.8, closed=True)


def _seal(sheet: Surface, rng: Rng) -> None:
    """A red cartouche with strokes that only look like writing."""
    sheet.fill(rectangle(1178, 40, 1230, 190), rgb("#bf3b2b"))
    sheet.line(rectangle(1183, 45, 1225, 185), FOAM, 1.6, closed=True)
    for row in range(4):
        center = np.array([1204, 66 + 34 * row])
        for _ in range(5):
            stroke = center + rng.uniform(-13, 13, (2, 2)) * (1, 0.95)
            sheet.line(stroke, FOAM, rng.uniform(2, 3.4))


def _print(sheet: Surface, rng: Rng) -> Colors:
    """Ink on paper: thinner along the grain of the block and over the fibres, with a margin."""
    fibres, grain = washi(SIZE, rng), wood(SIZE, rng)
    inks = sheet.colors()
    inked = smoothstep(0.05, 0.5, np.abs(inks - PAPER).max(-1))
    printed = mix(inks, PAPER, inked * (0.11 * clip(grain) + 0.06 * clip(fibres)))
    margin = 1 - mask(SIZE, rectangle(10, 10, SIZE[0] - 10, SIZE[1] - 10))
    speck = rng.normal(0, 0.012, fibres.shape)
    return clip(mix(printed, PAPER, margin) * (1 + 0.035 * fibres + speck)[..., None])
