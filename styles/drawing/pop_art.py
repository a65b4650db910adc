"""Pop art: a comic heroine before a burst, in flat primaries, black outlines and printers' dots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from styles.drawing.curves import circle, curve, ellipse, move, resample, ribbon, rotate, taper
from styles.drawing.fields import SIZE, Colors, Field, Points, Rng, clip, grid, mix, noise
from styles.drawing.grounds import paper
from styles.drawing.halftone import halftone
from styles.drawing.palette import Color, rgb
from styles.drawing.surface import mask

SEED = 1963

INK, WHITE = rgb("#15120f"), rgb("#fffaf0")
RED, BLUE, YELLOW = rgb("#e3262e"), rgb("#1170c9"), rgb("#ffd518")
CYAN, SKIN, AMBER = rgb("#22a7e5"), rgb("#ffe6d6"), rgb("#f59a14")
HEAD = (690.0, 520.0)
TILT = 0.13


class Page:
    """A page that is printed form by form, from the back to the front."""

    def __init__(self, ground: Colors) -> None:
        self.picture = ground

    def form(
        self, outline: Points, paint: Colors | Color, *, line: float = 7.0, wide: float = 0.55
    ) -> None:
        """A filled form with an outline that swells and thins by `wide`, as a brush makes it."""
        self.picture = mix(self.picture, paint, mask(SIZE, outline))
        if line:
            closed = resample(np.vstack([outline, outline[:1]]), 4)
            t = np.linspace(0, 4 * np.pi, len(closed))
            self.ink([ribbon(closed, line * (1 + wide * np.sin(t)))])

    def ink(self, outlines: Sequence[Points], color: Color = INK) -> None:
        """Forms of solid ink."""
        self.picture = mix(self.picture, color, mask(SIZE, *outlines))

    def strokes(self, paths: Sequence[Points], width: float, color: Color = INK) -> None:
        """Brush lines, thick in the middle and thin at both ends."""
        self.ink([ribbon(path, width * taper(len(path))) for path in paths], color)


def draw() -> Colors:
    rng = np.random.default_rng(SEED)
    page = Page(_rays())
    _burst(page, 250, 250, 250, rng)
    _bubble(page)
    _hair_behind(page, rng)
    _dress(page)
    _neck(page)
    _face(page)
    _eyes(page)
    _nose_and_mouth(page)
    _fringe(page, rng)
    _earring(page)
    return _print(page.picture, rng)


def _on_head(points: ArrayLike) -> Points:
    """From the upright head's own coordinates to the page."""
    return rotate(np.asarray(points, float), TILT, about=HEAD)


def _dots(share: Field | float, ink: Color, ground: Color, *, pitch: float = 11) -> Colors:
    everywhere = np.zeros(SIZE[::-1], np.float32) + share
    return mix(
        np.broadcast_to(ground, (*SIZE[::-1], 3)), ink, halftone(everywhere, pitch=pitch, angle=0.6)
    )


def _rays() -> Colors:
    """Rays from behind the head, blue and white, each with dots that swell outwards."""
    x, y = grid(SIZE)
    angle = np.arctan2(y - 560, x - 640)
    reach = np.hypot(x - 640, y - 560) / 820
    ray = np.sin(angle * 14) > 0
    light = _dots(0.08 + 0.5 * reach, CYAN, WHITE, pitch=15)
    dark = _dots(0.75 * (1 - reach), BLUE, CYAN, pitch=15)
    picture = np.where(ray[..., None], light, dark)
    edge = np.abs(np.sin(angle * 14)) * reach * 820 / 14 < 2.2
    return mix(picture, INK, edge.astype(np.float32))


def _burst(page: Page, x: float, y: float, size: float, rng: Rng) -> None:
    for scale, paint in ((1.16, RED), (0.92, YELLOW), (0.62, _dots(0.42, RED, YELLOW, pitch=13))):
        spikes = 15
        turns = np.linspace(0, 2 * np.pi, 2 * spikes, endpoint=False)
        reach = np.where(np.arange(2 * spikes) % 2, 0.62, 1) * rng.uniform(0.86, 1.12, 2 * spikes)
        star = size * scale * reach[:, None] * np.stack([np.cos(turns), np.sin(turns)], 1)
        page.form(move(star, x, y), paint, line=8)
    for right, lean in ((-86, -0.16), (0, 0.0), (86, 0.14)):
        bar = rotate(np.array([(-30, -116), (30, -124), (15, 42), (-13, 44)], float), lean)
        for shape in (bar, rotate(ellipse(0, 84, 22, 20), lean)):
            page.form(move(shape, x + right + 9, y + 9), INK, line=0)
            page.form(move(shape, x + right, y), WHITE, line=6, wide=0.3)


def _bubble(page: Page) -> None:
    """A cloud of thought in the corner, empty: the words are the beholder's."""
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    puffs = 1 + 0.11 * np.cos(7 * t)
    cloud = np.stack([1120 + 150 * np.cos(t) * puffs, 150 + 92 * np.sin(t) * puffs], 1)
    page.form(cloud, WHITE, line=7)
    for x, y, radius in ((1010, 262, 24), (968, 312, 14)):
        page.form(circle(x, y, radius), WHITE, line=6)
    for x in (1050, 1120, 1190):
        page.form(circle(x, 152, 20), RED, line=5)


def _hair_behind(page: Page, rng: Rng) -> None:
    mass = curve(
        [
            (690, 150), (520, 180), (410, 320), (380, 500), (400, 640), (350, 770), (420, 850),
            (560, 880), (820, 880), (960, 840), (1010, 740), (960, 640), (1000, 480), (960, 300),
            (860, 185),
        ],
        closed=True,
    )  # fmt: skip
    page.form(_on_head(mass), YELLOW, line=10)
    x, y = grid(SIZE)
    shade = clip(0.55 * (np.hypot(x - 690, y - 520) < 330) + 0.25 * (x > 800))
    inner = curve([(470, 430), (450, 700), (520, 860), (860, 860), (940, 700), (910, 430)])
    page.form(_on_head(inner), _dots(shade, AMBER, YELLOW, pitch=10), line=0)
    locks = []
    for side in (-1, 1):
        for index in range(9):
            out = 184 + 9 * index + rng.normal(0, 4)
            path = [(690 + side * (out - 40), 300 + 9 * index), (690 + side * (out + 34), 470)]
            path += [
                (690 + side * out, 640),
                (690 + side * (out + 46 - 9 * index), 760 + 9 * index),
            ]
            locks.append(_on_head(curve(path)))
    page.strokes(locks, 8)
    page.strokes([move(lock[10:-12], 9, 4) for lock in locks[::3]], 9, WHITE)


def _dress(page: Page) -> None:
    top = [(300, 1060), (380, 930), (560, 880), (700, 905), (850, 880), (1010, 930), (1100, 1060)]
    everywhere = np.full(SIZE[::-1], 0.26, np.float32)
    cloth = np.broadcast_to(RED, (*SIZE[::-1], 3))
    spots = mix(cloth, WHITE, halftone(everywhere, pitch=44, angle=0.75))
    page.form(curve(top), spots, line=10)
    x, _ = grid(SIZE)
    dark = mix(spots, INK, 0.9 * halftone(clip((x - 820) / 500), pitch=9, angle=0.6))
    page.form(curve([(860, 1060), (905, 950), (1010, 930), (1100, 1060)]), dark, line=0)
    left, right = [(470, 930), (500, 985), (490, 1040)], [(880, 920), (860, 980), (890, 1040)]
    page.strokes([curve(left), curve(right)], 10)


def _neck(page: Page) -> None:
    left, right = [(600, 700), (606, 850), (540, 900)], [(800, 905), (764, 850), (772, 700)]
    page.form(curve([*left, (670, 985), *right]), _dots(0.5, RED, SKIN, pitch=9), line=8)
    light = curve([(690, 860), (770, 850), (790, 902), (690, 960), (640, 930)], closed=True)
    page.form(light, _dots(0.18, RED, SKIN, pitch=9), line=0)


def _face(page: Page) -> None:
    outline = curve(
        [
            (690, 235), (560, 270), (492, 390), (492, 520), (520, 630), (590, 735), (672, 790),
            (716, 788), (800, 725), (862, 620), (886, 510), (884, 390), (820, 275),
        ],
        closed=True,
    )  # fmt: skip
    x, y = grid(SIZE)
    cheek = np.exp(-(((x - 560) / 90) ** 2) - ((y - 640) / 70) ** 2)
    other = np.exp(-(((x - 815) / 80) ** 2) - ((y - 665) / 70) ** 2)
    share = 0.13 + 0.30 * clip((x - 760) / 190) + 0.26 * (cheek + other)
    page.form(_on_head(outline), _dots(share, RED, SKIN, pitch=9.5), line=8)


def _eyes(page: Page) -> None:
    for x, side in ((590, -1), (782, 1)):
        _eye(page, x)
        brow = curve([(-80 * side, -100), (-6 * side, -112), (80 * side, -66)])
        thick = ribbon(brow, np.linspace(23, 3, len(brow)))
        page.ink([_on_head(move(thick, x, 476))])
    tear = curve([(0, -34), (17, 4), (0, 22), (-17, 4)], closed=True)
    page.form(_on_head(move(tear, 556, 566)), _dots(0.3, CYAN, WHITE, pitch=7), line=5)


def _eye(page: Page, x: float) -> None:
    upper = [(-72, 10), (-40, -24), (4, -36), (48, -22), (76, 8)]
    white = curve([*upper, (30, 26), (-30, 27)], closed=True)
    page.form(_on_head(move(white, x, 490)), WHITE, line=4)
    page.form(_on_head(circle(x + 2, 490, 30)), _dots(0.5, BLUE, CYAN, pitch=7), line=5)
    page.ink([_on_head(circle(x + 2, 490, 15))])
    page.ink([_on_head(circle(x + 12, 478, 8))], WHITE)
    lid = curve([(-84, 16), (-44, -26), (4, -40), (50, -26), (86, 12)])
    page.ink([_on_head(move(ribbon(lid, 17 * taper(len(lid), start=0.35, end=0.35)), x, 488))])
    lashes = []
    for share in np.linspace(0.05, 0.95, 8):
        base = lid[int(share * (len(lid) - 1))]
        tip = base + np.array([58 * (share - 0.5), -34 - 16 * np.sin(np.pi * share)])
        lash = curve([base, move((base + tip) / 2, 0, 5), tip])
        lashes.append(_on_head(move(ribbon(lash, np.linspace(8, 1, len(lash))), x, 486)))
    page.ink(lashes)
    page.strokes([_on_head(move(curve([(-70, -30), (0, -68), (72, -34)]), x, 488))], 5)


def _nose_and_mouth(page: Page) -> None:
    page.strokes([_on_head(curve([(700, 500), (724, 580), (716, 604), (690, 606)]))], 7)
    page.strokes([_on_head(curve([(652, 596), (660, 610), (674, 606)]))], 6)
    upper = curve(
        [(596, 688), (640, 662), (672, 654), (690, 664), (708, 654), (742, 664), (786, 684)]
    )
    lower = curve([(786, 684), (750, 726), (692, 742), (634, 728), (596, 688)])
    page.form(_on_head(np.vstack([upper, lower])), RED, line=6)
    teeth = curve([(624, 690), (690, 680), (760, 688), (692, 704)], closed=True)
    page.form(_on_head(teeth), WHITE, line=4)
    page.strokes([_on_head(curve([(596, 688), (640, 686), (690, 680), (740, 684), (786, 684)]))], 7)
    page.strokes([_on_head(curve([(640, 722), (680, 732), (712, 730)]))], 8, WHITE)
    page.strokes([_on_head(curve([(660, 762), (692, 770), (722, 764)]))], 6)


def _fringe(page: Page, rng: Rng) -> None:
    """Hair swept over the forehead in one wave, with shadow, shine and inked strands."""
    wave = curve(
        [
            (900, 420), (890, 320), (800, 220), (660, 170), (520, 215), (440, 340), (450, 480),
            (470, 560), (500, 470), (540, 390), (640, 330), (760, 330), (850, 380),
        ],
        closed=True,
    )  # fmt: skip
    page.form(_on_head(wave), YELLOW, line=9)
    under = curve(
        [
            (880, 400),
            (760, 318),
            (640, 316),
            (540, 374),
            (480, 500),
            (530, 410),
            (640, 344),
            (770, 346),
        ],
        closed=True,
    )
    page.form(_on_head(under), _dots(0.6, AMBER, YELLOW, pitch=9), line=0)
    strands: list[Points] = []
    shine: list[Points] = []
    for index in range(10):
        lift = 13 * index + rng.normal(0, 3)
        path: list[tuple[float, float]] = [(862 - 4 * index, 376 - lift), (760, 306 - lift)]
        path += [(640, 298 - lift * 0.98)]
        path += [(534 - lift * 0.25, 362 - lift * 0.8), (474 - lift * 0.2, 480 - lift * 0.6)]
        strand = _on_head(curve(path))
        first, last = rng.integers(0, 26), rng.integers(1, 30)
        (shine if index in (4, 7) else strands).append(strand[first : len(strand) - last])
    page.strokes(strands, 6.5)
    page.strokes(shine, 13, WHITE)


def _earring(page: Page) -> None:
    for x, y in ((486, 640), (902, 630)):
        page.form(_on_head(circle(x, y, 20)), BLUE, line=6)
        page.form(_on_head(ellipse(x, y + 48, 24, 32)), _dots(0.35, BLUE, WHITE, pitch=8), line=6)


def _print(picture: Colors, rng: Rng) -> Colors:
    """Cheap paper, and inks that did not meet quite exactly."""
    shifted = picture.copy()
    shifted[:-2, 2:, 0] = picture[2:, :-2, 0]
    grain = paper(SIZE, rng, tooth=3)
    worn = noise(SIZE, rng, cell=5, octaves=2)
    inked = mix(shifted, WHITE, 0.06 * clip(worn))
    return clip(inked * np.array([1.0, 0.985, 0.94], np.float32) * (1 + 0.03 * grain)[..., None])
