"""Watercolour: a harbour town in the morning, in sheer washes that leave the paper white."""

from __future__ import annotations

import numpy as np

from styles.drawing.curves import curve, ellipse, move, rectangle, ribbon, wobble
from styles.drawing.fields import SIZE, Colors, Points, Rng
from styles.drawing.palette import Color, palette, rgb
from styles.drawing.washes import Watercolor

SEED = 1842
SHORE = 640.0

CERULEAN, ULTRAMARINE, PAYNE = rgb("#6fb3d9"), rgb("#4466b5"), rgb("#4a5872")
OCHRE, SIENNA, ROSE, VIOLET = rgb("#eccb7f"), rgb("#c9713f"), rgb("#ec9c98"), rgb("#8d7bb0")
SAP, OLIVE, VIRIDIAN = rgb("#8fae4a"), rgb("#5f7a35"), rgb("#3f8f80")
WALLS = palette("#f0cf8d", "#eeb08c", "#e8a0a0", "#f3dca8", "#d9b8a0", "#e9c06f", "#dfa07a")
PETALS = (ROSE, rgb("#d9435c"), rgb("#e0566a"), rgb("#f0b040"), VIOLET)
ROOFS = palette("#c8663c", "#b5563a", "#d17f4c")


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    sheet = Watercolor(SIZE, rng)
    _sky(sheet, rng)
    _hills(sheet, rng)
    _water(sheet, rng)
    _town(sheet, rng)
    _trees(sheet, rng)
    _boats(sheet, rng)
    _flowers(sheet, rng)
    sheet.splatter(CERULEAN, 40, (60, 60, 900, 420))
    sheet.splatter(ROSE, 60, (60, 760, 640, 1000))
    sheet.splatter(SAP, 50, (60, 700, 700, 1000))
    return sheet.picture()


def _blob(x: float, y: float, wide: float, high: float, rng: Rng) -> Points:
    knots = ellipse(x, y, wide, high, spacing=max(wide, high) * 0.55)
    return curve(knots + rng.normal(0, 0.16, knots.shape) * (wide, high), closed=True)


def _sky(sheet: Watercolor, rng: Rng) -> None:
    """Wet in wet: blue that runs around clouds of bare paper, warm towards the horizon."""
    for x, y, wide, high, color, density in (
        (330, 130, 300, 90, CERULEAN, 0.75),
        (820, 110, 380, 70, CERULEAN, 0.8),
        (1080, 220, 200, 80, CERULEAN, 0.55),
        (200, 260, 150, 50, CERULEAN, 0.45),
        (640, 240, 220, 40, CERULEAN, 0.4),
        (900, 80, 330, 36, ULTRAMARINE, 0.4),
        (300, 85, 230, 34, ULTRAMARINE, 0.35),
        (640, 430, 520, 60, OCHRE, 0.55),
        (1000, 380, 240, 50, ROSE, 0.4),
        (240, 390, 230, 46, ROSE, 0.4),
        (560, 330, 170, 26, VIOLET, 0.3),
        (930, 300, 170, 22, VIOLET, 0.3),
    ):
        sheet.wash([_blob(x, y, wide, high, rng)], color, density=density, soft=26, rough=34)
    for x, y, wide in ((520, 175, 120), (1010, 150, 110), (260, 200, 90)):
        clouds = [_blob(x + dx, y + dy, wide * 0.55, 26, rng) for dx, dy in ((0, 0), (60, 14))]
        sheet.lift(clouds, share=0.55, soft=9)


def _hills(sheet: Watercolor, rng: Rng) -> None:
    for top, color, density in (
        (((90, 520), (260, 440), (420, 492), (640, 410), (860, 486)), VIOLET, 0.55),
        (((90, 570), (330, 520), (560, 560), (900, 500), (1060, 540)), CERULEAN, 0.75),
        (((90, 600), (380, 575), (700, 590), (1000, 555)), SAP, 0.6),
    ):
        ridge = curve([*top, (1190, top[-1][1] - 20)])
        land = np.vstack([ridge, [(1190, SHORE), (90, SHORE)]])
        sheet.wash([land], color, density=density, rough=7, edge=0.6)
    dabs = [_blob(rng.uniform(110, 1170), rng.uniform(560, 600), 16, 9, rng) for _ in range(40)]
    sheet.wash(dabs, OLIVE, density=0.5, soft=4, rough=4)


def _water(sheet: Watercolor, rng: Rng) -> None:
    body = curve([(70, SHORE), (640, SHORE - 2), (1210, SHORE), (1225, 800), (1130, 960)])
    lake = np.vstack([body, curve([(1130, 960), (700, 985), (210, 940), (60, 800)])])
    sheet.wash([lake], CERULEAN, density=0.42, soft=3, rough=14)
    sheet.wash([_blob(720, 900, 430, 46, rng)], VIRIDIAN, density=0.4, soft=20, rough=20)
    sheet.wash([_blob(1000, 700, 210, 30, rng)], ULTRAMARINE, density=0.3, soft=16, rough=20)
    for _ in range(120):
        x, y = rng.uniform(90, 1190), SHORE + 20 + 310 * rng.random() ** 0.8
        wide = rng.uniform(25, 95) * (0.5 + (y - SHORE) / 300)
        stroke = curve([(x - wide, y + rng.normal(0, 3)), (x, y + 3), (x + wide, y)])
        high = rng.uniform(3, 8) * (0.6 + (y - SHORE) / 260)
        color = (CERULEAN, ULTRAMARINE, VIRIDIAN)[rng.integers(3)]
        sheet.wash(
            [ribbon(stroke, high * np.sin(np.linspace(0.2, 2.9, len(stroke))))],
            color,
            density=rng.uniform(0.3, 0.7),
            rough=3,
            dry=rng.choice([0.0, 0.45]),
        )


def _town(sheet: Watercolor, rng: Rng) -> None:
    left = 120.0
    while left < 1130:
        width, height = rng.uniform(62, 116), rng.uniform(95, 215)
        if not 560 < left + width / 2 < 660:
            _house(sheet, left, min(width, 1175 - left), height, rng)
        left += width + rng.choice([0, 0, 4, 12])
    _tower(sheet, rng)
    quay = rectangle(95, SHORE - 12, 1190, SHORE + 12)
    sheet.wash([quay], rgb("#a89784"), density=0.8, rough=4)
    stones = [rectangle(x, SHORE - 2, x + 22, SHORE + 8) for x in range(110, 1180, 41)]
    sheet.wash(stones, PAYNE, density=0.35, rough=2)


def _house(sheet: Watercolor, left: float, width: float, height: float, rng: Rng) -> None:
    top, right = SHORE - height, left + width
    wall = WALLS[rng.integers(len(WALLS))]
    front = rectangle(left, top, right, SHORE)
    gable = width * rng.uniform(0.18, 0.34)
    roof = np.array([(left - 6, top), (left + width / 2, top - gable), (right + 6, top)])
    sheet.lift([front, roof], share=0.88, soft=1.5)
    sheet.wash([front], wall, density=0.95, rough=3)
    for color in (wall, (ROSE, CERULEAN, OCHRE)[rng.integers(3)]):
        x, y = rng.uniform(left, right), rng.uniform(top, SHORE)
        sheet.wash([_blob(x, y, width * 0.3, height * 0.2, rng)], color, density=0.45, soft=9)
    sheet.wash([roof], ROOFS[rng.integers(len(ROOFS))], density=1.05, rough=3)
    shade = np.array([(right - width * 0.3, top), (right, top), (right, SHORE), (right - 8, SHORE)])
    sheet.wash([shade], VIOLET, density=0.5, rough=3)
    sheet.wash([rectangle(left, top - 2, right, top + 9)], VIOLET, density=0.55, rough=2)
    panes = _windows(left, top, width, height)
    sheet.wash(panes, PAYNE, density=1.15, rough=2.4)
    shutters = [move(pane * (0.5, 1) + (pane[0, 0] * 0.5, 0), 13, 0) for pane in panes]
    sheet.wash(shutters, (VIRIDIAN, SIENNA, ULTRAMARINE)[rng.integers(3)], density=0.7, rough=2)
    outline = np.vstack([front, roof])
    sheet.pencil([wobble(np.vstack([edge, edge[:1]]), rng, amount=1.2) for edge in (front, roof)])
    _reflection(sheet, outline, wall, height, rng)


def _windows(left: float, top: float, width: float, height: float) -> list[Points]:
    columns, rows = max(2, int(width // 32)), max(2, int(height // 48))
    return [
        rectangle(x - 5, y, x + 5, y + 17)
        for x in left + width * (np.arange(columns) + 0.5) / columns
        for y in top + 18 + (height - 34) * np.arange(rows) / rows
    ]


def _reflection(sheet: Watercolor, shape: Points, wall: Color, height: float, rng: Rng) -> None:
    """The house upside down, torn into strips by the ripples."""
    left, right = shape[:, 0].min(), shape[:, 0].max()
    strips = []
    for y in np.arange(SHORE + 14, SHORE + 20 + 0.9 * height, 11):
        sway = rng.normal(0, 9)
        fade = 1 - 0.45 * (y - SHORE) / height
        middle, reach = (left + right) / 2 + sway, (right - left) / 2 * fade
        strip = curve([(middle - reach, y), (middle, y + 2), (middle + reach, y)])
        strips.append(ribbon(strip, 8 * np.sin(np.linspace(0.3, 2.8, len(strip)))))
    sheet.wash(strips, wall * 0.93, density=0.75, soft=2.5, rough=5)


def _tower(sheet: Watercolor, rng: Rng) -> None:
    body = rectangle(584, 330, 634, SHORE)
    sheet.lift([body], share=0.9, soft=1.5)
    sheet.wash([body], OCHRE, density=0.9, rough=3)
    sheet.wash([rectangle(612, 330, 634, SHORE)], VIOLET, density=0.5, rough=3)
    dome = curve([(574, 332), (584, 292), (609, 262), (634, 292), (644, 332)])
    sheet.wash([dome], VIRIDIAN, density=1.0, rough=2)
    sheet.wash([rectangle(578, 328, 640, 340)], SIENNA, density=0.9, rough=2)
    arches = [ellipse(x, y, 7, 15) for x in (598, 620) for y in (368, 430)]
    sheet.wash(arches, PAYNE, density=1.2, rough=2)
    sheet.wash([ellipse(609, 490, 14, 14)], PAYNE, density=0.7, rough=2)
    cross = [np.array([[609, 262], [609, 226]]), np.array([[600, 238], [618, 238]])]
    sheet.pencil(cross, width=2.5)
    sheet.pencil([np.vstack([body, body[:1]]), dome])
    _reflection(sheet, body, OCHRE, 300, rng)


def _trees(sheet: Watercolor, rng: Rng) -> None:
    for x, base, size in ((690, SHORE, 66), (150, SHORE, 52), (1130, SHORE, 74), (480, SHORE, 44)):
        for color, count, density in ((SAP, 30, 0.8), (OLIVE, 18, 0.6), (VIRIDIAN, 9, 0.6)):
            spots = rng.normal(0, 0.42, (count, 2)) * (size, size * 0.95)
            dabs = [
                _blob(x + right, base - size * 1.25 + down, wide, wide * 0.8, rng)
                for (right, down), wide in zip(spots, rng.uniform(5, 16, count), strict=True)
            ]
            sheet.wash(dabs, color, density=density, soft=1.6, rough=4)
        trunk = curve([(x, base), (x - 4, base - size * 0.6), (x + 5, base - size)])
        sheet.wash([ribbon(trunk, np.linspace(9, 4, len(trunk)))], SIENNA * 0.6, density=1)
    for x, height in ((840, 190), (868, 150), (320, 170)):
        flame = curve([(x, SHORE), (x - 15, SHORE - height * 0.4), (x, SHORE - height)])
        other = curve([(x, SHORE - height), (x + 16, SHORE - height * 0.4), (x, SHORE)])
        sheet.wash([np.vstack([flame, other])], OLIVE, density=1.15, rough=6)
        sheet.wash([np.vstack([flame, move(flame, 7, 0)[::-1]])], PAYNE, density=0.6, soft=3)


def _boats(sheet: Watercolor, rng: Rng) -> None:
    for x, y, size, hull, sail in (
        (880, 800, 1.5, ULTRAMARINE, True),
        (300, 745, 0.9, SIENNA, False),
        (1080, 740, 0.8, SIENNA, True),
        (560, 770, 0.8, VIRIDIAN, False),
    ):
        top = curve([(-95, -16), (0, -4), (100, -26)])
        keel = curve([(100, -26), (70, 18), (-70, 20), (-95, -16)])
        shape = np.vstack([top, keel]) * size
        sheet.lift([move(shape, x, y)], share=0.9, soft=1)
        sheet.wash([move(shape, x, y)], hull, density=1.05, rough=3, edge=0.7)
        band = ribbon(top * size, 8 * size)
        sheet.wash([move(band, x, y)], PAYNE, density=0.8, rough=2)
        if sail:
            cloth = [
                np.array([(4, -34), (4, -250), (104, -52)]) * size,
                np.array([(-6, -40), (-6, -222), (-80, -48)]) * size,
            ]
            for piece, color in zip(cloth, (rgb("#f6e6cf"), SIENNA), strict=True):
                sheet.lift([move(piece, x, y)], share=0.85, soft=1.5)
                sheet.wash([move(piece, x, y)], color, density=0.75, rough=5, edge=0.8)
        mast = np.array([(0, -6), (0, -262)]) * size
        sheet.pencil([move(mast, x, y)], width=3.2, dark=0.8)
        for _ in range(9):
            sway, drop = rng.normal(0, 24 * size), rng.uniform(20, 90) * size
            dash = curve([(x + sway - 40 * size, y + drop), (x + sway + 40 * size, y + drop + 3)])
            sheet.wash([ribbon(dash, 7 * size)], hull, density=0.55, soft=2, rough=4)


def _flowers(sheet: Watercolor, rng: Rng) -> None:
    """A bush in the foreground, loose and large, that runs out into bare paper."""
    for color, count in ((SAP, 26), (OLIVE, 24), (VIRIDIAN, 16)):
        leaves = []
        for _ in range(count):
            x, y = rng.normal(250, 130), rng.normal(925, 48)
            tip = (x + rng.normal(0, 60), y - rng.uniform(40, 120))
            leaf = curve([(x, y), ((x + tip[0]) / 2 + 9, (y + tip[1]) / 2), tip])
            leaves.append(ribbon(leaf, 19 * np.sin(np.linspace(0.15, 3.0, len(leaf)))))
        sheet.wash(leaves, color, density=0.8, soft=1.6, rough=6)
    for _ in range(26):
        x, y = rng.normal(260, 135), rng.normal(865, 58)
        size = rng.uniform(14, 34)
        color = PETALS[rng.integers(len(PETALS))]
        sheet.lift([_blob(x, y, size, size * 0.8, rng)], share=0.75, soft=3)
        for _ in range(5):
            right, down = rng.normal(0, size * 0.5, 2)
            petal = _blob(x + right, y + down, size * 0.55, size * 0.4, rng)
            sheet.wash([petal], color, density=0.62, soft=2, rough=6, edge=0.8)
        sheet.wash([_blob(x, y, size * 0.2, size * 0.2, rng)], PAYNE, density=0.9, soft=2)
