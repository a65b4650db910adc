"""Mosaic: two peacocks at a chalice on gold ground, in tesserae along the contours (Byzantium)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from styles.drawing.curves import circle, curve, ellipse, move, rectangle, ribbon, rotate
from styles.drawing.fields import (
    SIZE,
    Colors,
    Field,
    Points,
    Rng,
    clip,
    emboss,
    grid,
    mix,
    noise,
    sample,
    smoothstep,
)
from styles.drawing.palette import Color, palette, rgb, vary
from styles.drawing.surface import Surface, mask
from styles.drawing.tesserae import distance_to_contours, lay_stones

SEED = 547
CENTER = SIZE[0] / 2
GRAPES = ((395, 172), (215, 250), (345, 395))

GOLD = rgb("#c99a2e")
GOLDS = palette("#8a5f16", "#b98422", "#d8a936", "#e9c55c", "#fbe7a0", "#a8741b")
WHITE, DARK, RED = rgb("#efe8d6"), rgb("#1b2030"), rgb("#a8302a")
BLUE, TEAL, SKY = rgb("#1f3f8f"), rgb("#12736f"), rgb("#5f9fc4")
GREEN, LEAF, VIOLET = rgb("#3f6b2c"), rgb("#6f9440"), rgb("#5b2f6b")
EARTH, ROSE = rgb("#8a5a32"), rgb("#d98f86")


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    cartoon = _cartoon(rng)
    flat = cartoon.colors()
    distance = distance_to_contours(flat)
    gold = np.abs(flat - GOLD).max(-1) < 0.04
    sizes = np.where(gold, 11.0, 9.0).astype(np.float32)
    sizes[_fine_work() > 0.5] = 7.0
    stones = lay_stones(distance, sizes, rng)
    return _set_stones(stones, _shaded(flat, distance, rng), gold, rng)


def _cartoon(rng: Rng) -> Surface:
    cartoon = Surface(SIZE, GOLD)
    _meadow(cartoon, rng)
    _vines(cartoon)
    _medallion(cartoon)
    _chalice(cartoon)
    for mirrored in (False, True):
        _peacock(cartoon, mirrored=mirrored)
    _border(cartoon)
    return cartoon


def _fine_work() -> Field:
    """Where the forms are small and the stones are too: heads, tails, fruit, the medallion."""
    left = [circle(505, 335, 62), ellipse(212, 760, 120, 170, turn=0.35)]
    left += [circle(x, y, 40) for x, y in GRAPES]
    both = [_side(outline, mirrored) for outline in left for mirrored in (False, True)]
    return mask(SIZE, circle(CENTER, 196, 112), *both)


def _side(points: Points, mirrored: bool) -> Points:
    return np.stack([SIZE[0] - points[:, 0], points[:, 1]], axis=1) if mirrored else points


def _meadow(cartoon: Surface, rng: Rng) -> None:
    edge = curve(
        [(0, 800), (200, 770), (420, 792), (640, 772), (860, 792), (1080, 770), (1280, 800)]
    )
    for tone, drop in ((LEAF, 0), (GREEN, 42), (SKY, 112), (BLUE, 140)):
        body = np.vstack([move(edge, 0, drop), [(1280, 1024), (0, 1024)]])
        cartoon.fill(body, tone)
    for row in (912, 938):
        ripple = [(x, row + 5 * np.sin(x / 23)) for x in range(70, 1215, 6)]
        cartoon.line(np.array(ripple), WHITE, 9)
    for x in range(110, 1200, 74):
        y = 848 + rng.uniform(-14, 26)
        cartoon.line(np.array([[x, y], [x, y + 34]]), DARK, 6)
        for turn in np.arange(0, 2 * np.pi, 2 * np.pi / 5):
            petal = np.array([[x + 13 * np.cos(turn), y + 13 * np.sin(turn)]])[0]
            cartoon.dot(petal[0], petal[1], 9, RED if (x // 74) % 2 else WHITE)
        cartoon.dot(x, y, 7, GOLD * 1.2)


def _vines(cartoon: Surface) -> None:
    """Scrolls of vine that grow out of the chalice, with leaves and grapes."""
    for mirrored in (False, True):
        for (x, y), radius, turn in zip(GRAPES, (80, 66, 56), (-1, 1, 1), strict=True):
            t = np.linspace(0, 3.2 * np.pi, 90)
            spread = radius * np.exp(-t / 6.0)
            scroll = np.stack([x + turn * spread * np.sin(t), y + spread * np.cos(t)], axis=1)
            cartoon.line(_side(scroll, mirrored), GREEN, 10)
            _grapes(cartoon, _side(np.array([[x, y]]), mirrored)[0])
            for angle in (0.7, 2.6, 4.4):
                right, down = x + radius * np.sin(angle), y + radius * np.cos(angle)
                leaf = move(rotate(_leaf_shape(), -angle), right, down)
                cartoon.fill(_side(leaf, mirrored), LEAF)
                cartoon.line(_side(leaf[:1], mirrored).repeat(2, 0), GREEN, 12)
        branch = curve([(626, 570), (585, 440), (560, 330), (470, 262), (395, 252)])
        twig = curve([(395, 252), (330, 225), (290, 300), (215, 316)])
        sprig = curve([(470, 262), (420, 300), (400, 400), (345, 451)])
        for path in (branch, twig, sprig):
            cartoon.line(_side(path, mirrored), GREEN, 10)


def _leaf_shape() -> Points:
    return curve([(0, 0), (16, 16), (12, 40), (0, 62), (-12, 40), (-16, 16)], closed=True)


def _grapes(cartoon: Surface, top: Points) -> None:
    for row, count in enumerate((3, 4, 3, 2, 1)):
        for index in range(count):
            x = top[0] + (index - (count - 1) / 2) * 16
            cartoon.dot(x, top[1] - 20 + row * 14, 9, VIOLET if (row + index) % 3 else ROSE)


def _medallion(cartoon: Surface) -> None:
    for radius, tone in ((112, DARK), (104, RED), (95, WHITE), (85, BLUE)):
        cartoon.fill(circle(CENTER, 192, radius), tone)
    for index in range(16):
        angle = index * np.pi / 8
        x, y = CENTER + 72 * np.cos(angle), 192 + 72 * np.sin(angle)
        cartoon.dot(x, y, 8 if index % 2 else 5, WHITE if index % 2 else GOLD * 1.2)
    star = [
        (CENTER + reach * np.sin(i * np.pi / 8), 192 - reach * np.cos(i * np.pi / 8))
        for i, reach in enumerate((62, 24) * 8)
    ]
    cartoon.fill(np.array(star), GOLD * 1.15)
    cartoon.dot(CENTER, 192, 17, RED)
    cartoon.dot(CENTER, 192, 8, WHITE)


def _chalice(cartoon: Surface) -> None:
    half = [(92, 575), (98, 620), (70, 690), (26, 722), (17, 760), (34, 800), (74, 826)]
    right = curve([(CENTER + x, y) for x, y in half])
    bowl = np.vstack([right, _side(right, True)[::-1]])
    cartoon.fill(bowl, SKY)
    cartoon.fill(
        np.vstack([right[: len(right) // 3], _side(right[: len(right) // 3], True)[::-1]]), WHITE
    )
    for y, tone in ((640, RED), (668, BLUE)):
        cartoon.line(np.array([[CENTER - 76, y], [CENTER + 76, y]]), tone, 13)
    cartoon.fill(ellipse(CENTER, 577, 96, 22), DARK)
    cartoon.fill(ellipse(CENTER, 575, 78, 14), SKY * 0.8)
    cartoon.line(bowl, DARK, 9, closed=True)
    cartoon.fill(circle(CENTER, 742, 24), GOLD * 1.2)


def _peacock(cartoon: Surface, *, mirrored: bool) -> None:
    def fill(points: Points, tone: Color) -> None:
        cartoon.fill(_side(points, mirrored), tone)
        cartoon.line(_side(points, mirrored), DARK, 8, closed=True)

    def line(points: Points, tone: Color, width: float) -> None:
        cartoon.line(_side(points, mirrored), tone, width)

    tail = curve([(330, 585), (262, 650), (215, 745), (205, 880)])
    fill(ribbon(tail, 96 + 108 * np.linspace(0, 1, len(tail)) ** 0.8), TEAL)
    for share in np.linspace(0.2, 0.92, 5):
        _eyes(cartoon, tail, share, mirrored)
    for foot in (352, 392):
        line(curve([(foot, 640), (foot + 6, 720), (foot - 2, 800)]), RED, 11)
        line(np.array([[foot - 2, 800], [foot + 30, 806]]), RED, 9)
    body = curve(
        [(262, 622), (330, 530), (430, 520), (470, 580), (430, 664), (330, 684)], closed=True
    )
    fill(body, BLUE)
    neck = curve([(425, 590), (474, 500), (462, 420), (492, 348)])
    fill(ribbon(neck, np.linspace(112, 40, len(neck))), BLUE)
    for share, tone in ((0.25, TEAL), (0.45, SKY), (0.65, TEAL)):
        at = neck[int(share * len(neck))]
        half = np.array([30 - 20 * share, 4])
        line(np.array([at - half, at + half]), tone, 12)
    fill(curve([(472, 352), (486, 316), (520, 318), (528, 346), (500, 366)], closed=True), BLUE)
    fill(np.array([[524, 328], [566, 346], [524, 348]], float), GOLD * 1.2)
    for lean in (-0.45, -0.1, 0.25):
        tip = np.array([500 + 62 * np.sin(lean), 318 - 62 * np.cos(lean)])
        line(np.array([[500, 318], tip]), DARK, 5)
        cartoon.fill(_side(circle(tip[0], tip[1], 10), mirrored), TEAL)
    cartoon.fill(_side(circle(505, 337, 10), mirrored), WHITE)
    cartoon.fill(_side(circle(506, 337, 5), mirrored), DARK)
    for reach, tone in ((1.0, EARTH), (0.74, ROSE), (0.48, WHITE), (0.24, RED)):
        wing = curve([(430, 570), (400, 540), (320, 560), (240, 640), (330, 646)], closed=True)
        fill((wing - (430, 575)) * reach + np.array([430, 575]), tone)


def _eyes(cartoon: Surface, tail: Points, share: float, mirrored: bool) -> None:
    """A row of peacock's eyes across the tail."""
    index = int(share * (len(tail) - 1))
    way = tail[min(index + 3, len(tail) - 1)] - tail[index - 3]
    across = np.array([way[1], -way[0]]) / np.hypot(way[0], way[1])
    count = 2 + int(share > 0.4) + int(share > 0.7)
    for place in np.linspace(-1, 1, count):
        x, y = tail[index] + across * place * (26 + 46 * share)
        for radius, tone in ((22, GOLD * 1.15), (14.5, SKY), (7.5, DARK)):
            cartoon.fill(_side(circle(x, y, radius), mirrored), tone)


def _border(cartoon: Surface) -> None:
    width, height = SIZE
    for inset, tone in ((0, RED), (14, DARK), (24, BLUE), (54, WHITE), (63, RED)):
        frame = [
            rectangle(inset, inset, width - inset, height - inset),
            rectangle(70, 70, width - 70, height - 70),
        ]
        cartoon.fill_all(frame, tone)
    stops = [(x, y) for x in np.linspace(39, width - 39, 21) for y in (39, height - 39)]
    stops += [(x, y) for y in np.linspace(39, height - 39, 17)[1:-1] for x in (39, width - 39)]
    for index, (x, y) in enumerate(stops):
        rhomb = np.array([[x - 15, y], [x, y - 13], [x + 15, y], [x, y + 13]])
        cartoon.fill(rhomb, (GOLD * 1.2, ROSE)[index % 2])


def _shaded(flat: Colors, distance: Field, rng: Rng) -> Colors:
    """Forms are rounded: lighter in their middle, darker towards the contour."""
    _, y = grid(SIZE)
    light = 0.10 * smoothstep(0, 40, distance) - 0.09 + 0.05 * noise(SIZE, rng, cell=170, octaves=2)
    light += 0.06 * smoothstep(1024, 0, y)
    return clip(flat + light[..., None])


def _set_stones(stones: list[Points], colors: Colors, gold: Field, rng: Rng) -> Colors:
    """Every stone in its own shade and tilt, the gold ones glimmering, in dark mortar."""
    mortar = 0.19 + 0.05 * noise(SIZE, rng, cell=7, octaves=2)
    wall = Surface(SIZE, mix(rgb("#2a211a"), rgb("#7a6a58"), clip(mortar)))
    relief = Surface(SIZE)
    centers = np.array([stone.mean(0) for stone in stones])
    paints = vary(sample(colors, centers), rng, light=0.055, hue=0.03)
    glimmer = GOLDS[rng.choice(len(GOLDS), len(stones), p=(0.13, 0.24, 0.28, 0.17, 0.06, 0.12))]
    shine = mix(paints, glimmer, 0.75)
    golden = sample(gold, centers)
    for stone, center, paint, metal, is_gold in zip(
        stones, centers, paints, shine, golden, strict=True
    ):
        wall.fill(stone, metal if is_gold else paint)
        height = rng.uniform(0.55, 1)
        relief.fill(stone, (height,) * 3)
        relief.fill(center + (stone - center) * 0.6, (min(1.0, height + 0.12),) * 3)
    tilt = gaussian_filter(relief.colors()[..., 0], 1.1)
    sparkle = noise(SIZE, rng, cell=3, octaves=1) * 0.035
    return clip(wall.colors() + (0.5 * emboss(tilt) + sparkle)[..., None])
