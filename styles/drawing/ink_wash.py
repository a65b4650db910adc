"""Ink wash: peaks in the mist, a pine, bamboo and a boat, after the sumi-e painters."""

from __future__ import annotations

import numpy as np

from styles.drawing.curves import circle, curve, ellipse, rectangle, ribbon, taper, wobble
from styles.drawing.fields import SIZE, Colors, Points, Rng
from styles.drawing.grounds import washi
from styles.drawing.palette import rgb
from styles.drawing.washes import Watercolor

SEED = 1495

PAPER = rgb("#f3ecdc")
INK, GREY, MIST = rgb("#1d1d22"), rgb("#6a6c70"), rgb("#b2b3b0")
SEAL = rgb("#c0392b")


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    sheet = Watercolor(SIZE, rng, ground=PAPER)
    _moon(sheet, rng)
    _peaks(sheet, rng)
    _shore(sheet, rng)
    _boat(sheet, rng)
    _birds(sheet, rng)
    _pine(sheet, rng)
    _bamboo(sheet, rng)
    _seal(sheet)
    sheet.splatter(GREY, 60, (80, 60, 1200, 980))
    return sheet.picture() * (1 + 0.02 * washi(SIZE, rng))[..., None]


def _moon(sheet: Watercolor, rng: Rng) -> None:
    """Left white, by a wash of sky around it."""
    for x, y, wide, high in ((860, 200, 280, 90), (640, 250, 240, 60), (1010, 160, 190, 80)):
        cloud = ellipse(x, y, wide, high, spacing=30)
        cloud = curve(cloud + rng.normal(0, 9, cloud.shape), closed=True)
        sheet.wash([cloud], MIST, density=0.75, soft=34, rough=40)
    sheet.lift([circle(880, 190, 70)], share=0.97, soft=1.6)


PEAKS = (
    (((380, 470), (520, 300), (580, 330), (690, 180)), ((760, 270), (880, 420), (1000, 500)), MIST),
    (((760, 560), (900, 420), (960, 440), (1060, 290)), ((1130, 380), (1300, 560)), GREY),
    (((-20, 470), (120, 400), (230, 430), (370, 330)), ((450, 470), (620, 610)), GREY),
    (((420, 660), (560, 520), (640, 560), (730, 470)), ((840, 590), (960, 680)), INK),
)


def _peaks(sheet: Watercolor, rng: Rng) -> None:
    """Dark along the ridge, and washed off into the mist below; wrinkles of dry brush."""
    for left, right, tone in PEAKS:
        ridge = wobble(curve([*left, *right]), rng, amount=5, period=16)
        top = float(ridge[:, 1].min())
        foot = top + 260
        for reach, density in ((1.0, 0.55), (0.55, 0.5)):
            body = np.vstack([ridge, [(ridge[-1, 0], foot + 60), (ridge[0, 0], foot + 60)]])
            fade = (top + 20, top + 20 + (foot - top) * reach)
            sheet.wash([body], tone, density=density, rough=6, edge=0.5, fade=fade)
        sheet.dry_stroke(ridge, 9, tone * 0.8, density=0.9, dryness=0.55)
        for _ in range(46):
            x, y = ridge[rng.integers(6, len(ridge) - 6)]
            down = rng.uniform(8, 90)
            lean = np.sign(x - ridge[ridge[:, 1].argmin(), 0]) * rng.uniform(0.2, 0.8)
            start = np.array([x + lean * down, y + down])
            end = start + np.array([lean * 60, 70]) * rng.uniform(0.4, 1)
            fold = curve([start, (start + end) / 2 + rng.normal(0, 5, 2), end])
            width = rng.uniform(4, 13) * taper(len(fold), start=0.7)
            sheet.dry_stroke(fold, width, tone * 0.85, density=0.5, dryness=rng.uniform(0.5, 0.9))
        _ridge_trees(sheet, ridge, tone * 0.7, rng)


def _ridge_trees(sheet: Watercolor, ridge: Points, tone: Colors, rng: Rng) -> None:
    dabs = []
    for _ in range(70):
        x, y = ridge[rng.integers(len(ridge))]
        size = rng.uniform(2, 6)
        dabs.append(ellipse(x, y - size * 0.4, size * 0.8, size, spacing=2))
    sheet.wash(dabs, tone, density=0.6, rough=2.5, soft=1.4)


def _shore(sheet: Watercolor, rng: Rng) -> None:
    """Still water: a few level strokes, and reeds on a spit of land."""
    for _ in range(46):
        x, y = rng.uniform(240, 1160), rng.uniform(690, 960)
        wide = rng.uniform(40, 190) * (y - 560) / 300
        line = curve([(x - wide, y), (x, y + rng.normal(0, 3)), (x + wide, y + 1)])
        width = rng.uniform(3, 11) * taper(len(line))
        sheet.dry_stroke(line, width, GREY, density=rng.uniform(0.2, 0.6), dryness=0.85)
    bank = curve([(560, 760), (720, 738), (900, 742), (1060, 770), (900, 784), (700, 780)])
    sheet.wash([bank], GREY, density=0.7, rough=9, soft=3)
    sheet.dry_stroke(
        curve([(570, 764), (760, 744), (1040, 768)]), 13, INK, density=0.8, dryness=0.7
    )
    reeds = []
    for _ in range(90):
        x = rng.normal(820, 110)
        tip = (x + rng.normal(6, 16), 752 - rng.uniform(14, 62))
        reeds.append(curve([(x, 764), ((x + tip[0]) / 2 - 3, 742), tip]))
    sheet.lines(reeds, 2.6, INK, density=0.85)


def _boat(sheet: Watercolor, rng: Rng) -> None:
    hull = curve(
        [(455, 846), (520, 872), (620, 874), (700, 840), (640, 856), (530, 858)], closed=True
    )
    sheet.wash([hull], INK, density=1.5, rough=3, edge=0.8)
    cabin = curve([(530, 856), (545, 812), (590, 806), (622, 855)])
    sheet.wash([cabin], GREY, density=0.9, rough=3)
    for x in range(540, 620, 9):
        rib = wobble(curve([(x, 856), (x + 3, 830), (x + 6, 812)]), rng, amount=1)
        sheet.lines([rib], 2.2, INK, density=0.8)
    body = curve([(645, 852), (640, 812), (655, 792), (670, 815), (668, 852)])
    sheet.wash([body], INK, density=1.4, rough=3)
    sheet.wash([np.array([(630, 795), (656, 770), (684, 796)])], INK, density=1.2, rough=2)
    sheet.lines([curve([(664, 800), (730, 770), (800, 782)])], 3, INK, density=1)
    sheet.lines([curve([(800, 782), (803, 840), (801, 880)])], 1.2, INK, density=0.7)
    ripple = curve([(440, 892), (580, 902), (730, 890)])
    sheet.dry_stroke(ripple, 13, GREY, density=0.6, dryness=0.8)


def _birds(sheet: Watercolor, rng: Rng) -> None:
    wings = []
    for index in range(9):
        x, y = 560 + 42 * index + rng.normal(0, 9), 130 - 20 * index + 3.2 * index**2
        span = rng.uniform(11, 19)
        wings.append(curve([(x - span, y - span * 0.5), (x - span * 0.4, y - span * 0.6), (x, y)]))
        wings.append(curve([(x, y), (x + span * 0.5, y - span * 0.7), (x + span, y - span * 0.4)]))
    sheet.lines(wings, 4, INK, density=1.2)


def _pine(sheet: Watercolor, rng: Rng) -> None:
    """An old tree that leans in from the left, with clouds of needles."""
    trunk = curve([(40, 1050), (120, 880), (90, 720), (190, 560), (170, 430), (290, 330)])
    widths = np.linspace(86, 20, len(trunk))
    sheet.wash([ribbon(trunk, widths)], GREY, density=1.0, rough=9, edge=0.7)
    for shift in (-0.3, 0.25):
        side = trunk + np.stack([shift * widths, 0 * widths], 1)
        sheet.dry_stroke(side, widths * 0.55, INK, density=1.0, dryness=0.62)
    _bark(sheet, trunk, widths, rng)
    limbs = (
        ((150, 620), (250, 590), (330, 610), (420, 575)),
        ((180, 470), (90, 400), (40, 410)),
        ((220, 390), (320, 400), (430, 350)),
        ((250, 350), (270, 250), (360, 200)),
        ((120, 700), (60, 620), (20, 600)),
    )
    for limb in limbs:
        path = wobble(curve(limb), rng, amount=4)
        sheet.dry_stroke(path, np.linspace(22, 6, len(path)), INK, density=1.3, dryness=0.4)
        for place in path[int(len(path) * 0.35) :: 9]:
            _needles(sheet, place + rng.normal(0, 14, 2), rng)


def _bark(sheet: Watercolor, trunk: Points, widths: Points, rng: Rng) -> None:
    scales = []
    for _ in range(90):
        index = rng.integers(len(trunk))
        x, y = trunk[index] + rng.uniform(-0.4, 0.4, 2) * widths[index]
        size = rng.uniform(5, 13)
        scales.append(curve([(x - size, y), (x, y - size * 0.8), (x + size, y + 2)]))
    sheet.lines(scales, 3, INK, density=0.9)


def _needles(sheet: Watercolor, center: Points, rng: Rng) -> None:
    """A flat cloud of fans, the lower ones paler."""
    haze = ellipse(center[0], center[1] - 6, 52, 20, spacing=12)
    sheet.wash([haze], GREY, density=0.4, soft=9, rough=12)
    for tone, count in ((GREY, 3), (INK, 4)):
        fans = []
        for _ in range(count):
            x, y = center + rng.normal(0, 1, 2) * (30, 9)
            for turn in np.linspace(-2.9, -0.25, 17) + rng.normal(0, 0.06, 17):
                reach = rng.uniform(22, 34)
                tip = (x + reach * np.cos(turn), y + reach * np.sin(turn) * 0.8)
                fans.append(curve([(x, y), ((x + tip[0]) / 2, (y + tip[1]) / 2 - 1), tip]))
        sheet.lines(fans, 2.0, tone, density=1.05)


def _bamboo(sheet: Watercolor, rng: Rng) -> None:
    for x, lean, width, tone, density in (
        (1110, -26, 15, MIST, 1.0),
        (1235, -60, 22, GREY, 1.0),
        (1165, -34, 30, INK, 1.0),
    ):
        y = 1040.0
        while y > 60:
            length = rng.uniform(92, 130)
            drift = lean * (1040 - y) / 1000
            foot, head = x + drift, x + drift + lean * 0.12
            path = curve([(foot, y), ((foot + head) / 2, y - length / 2), (head, y - length + 7)])
            sheet.wash([ribbon(path, width)], tone, density=density * 0.5, rough=2, edge=0.9)
            sheet.dry_stroke(path, width * 0.95, tone, density=density * 0.7, dryness=0.55)
            top = y - length + 3
            ring = curve([(head - width * 0.6, top), (head + width * 0.6, top - 2)])
            sheet.lines([ring], 6, tone * 0.7, density=1.2)
            if rng.random() < 0.75:
                _leaves(sheet, path[-1], tone, rng)
            y -= length
    for x, y in ((1060, 130), (1010, 190), (1120, 90), (1080, 300)):
        _leaves(sheet, np.array([x, y], float), INK, rng)


def _leaves(sheet: Watercolor, joint: Points, tone: Colors, rng: Rng) -> None:
    """A spray of leaves: each one press of the brush, drawn out to a point."""
    blades = []
    twig_end = joint + np.array([rng.uniform(-95, -40), rng.uniform(-26, 26)])
    sheet.lines([curve([joint, (joint + twig_end) / 2 + (0, -7), twig_end])], 3.4, tone, density=1)
    for turn in rng.uniform(0.55, 2.9, rng.integers(4, 7)):
        reach = rng.uniform(64, 122)
        tip = twig_end + reach * np.array([np.cos(turn), np.sin(turn) * 0.85])
        middle = (twig_end + tip) / 2 + rng.normal(0, 7, 2)
        path = curve([twig_end, middle, tip])
        t = np.linspace(0, 1, len(path))
        blades.append(ribbon(path, 19 * np.sin(np.pi * t**0.6) ** 0.8 * (1 - 0.4 * t)))
    sheet.wash(blades, tone, density=1.15, rough=2.5, edge=0.55)


def _seal(sheet: Watercolor) -> None:
    """The painter's red stamp, with strokes that only look like writing."""
    square = rectangle(412, 900, 462, 950)
    sheet.wash([square], SEAL, density=1.5, rough=3, edge=0.2)
    marks = (
        [(422, 912), (446, 908)],
        [(432, 910), (428, 944)],
        [(440, 918), (454, 930)],
        [(452, 912), (442, 942)],
        [(420, 930), (432, 924)],
    )
    sheet.lift([ribbon(np.array(mark, float), 4) for mark in marks], share=0.9, soft=0.6)
