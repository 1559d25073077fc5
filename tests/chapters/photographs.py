"""Synthetic photographs of digits, other than those of chapter 11: sizes, papers, lights and pens drawn at random."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage


def resized(values, height, width):
    """Return an array, resized."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))


def smooth_noise(rng, height, width, scale):
    return resized(rng.normal(size=(height // scale + 2, width // scale + 2)), height, width)


def ink_of(digit, size, pen=None, angle=0):
    """Return the coverage, 0..1, of a digit `size` pixels long. pen: the strokes' width as a share of size; None: as written."""
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    cut = np.pad(digit[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] / 255, 4)
    if angle:
        cut = ndimage.rotate(cut, angle, order=1)
    scale = size / 20
    big = resized(cut, *(max(1, round(scale * side)) for side in cut.shape))
    if pen is None:
        return np.clip((big - 0.5) * max(scale, 1) + 0.5, 0, 1)
    inside, outside = (ndimage.distance_transform_edt(part) for part in (big > 0.5, big <= 0.5))
    ridge = (inside > 0.5) & (inside > ndimage.maximum_filter(inside, 3) - 0.5)
    usual = 2 * np.median(inside[ridge])
    if pen * size > usual:
        return np.clip((pen * size - usual) / 2 + 0.5 + inside - outside, 0, 1)
    return np.clip(pen * size / 2 + 0.5 - ndimage.distance_transform_edt(~ridge), 0, 1)


SHEETS = [(150, 200), (200, 150), (240, 320), (300, 220), (480, 640)]


def photograph(digit, rng, *kinds, shape=None):
    """Return a photograph, bytes (H, W), of a digit, bytes (28, 28).

    kinds: fall, shadow, vignette, noise, lined, squared, dust, table, thin, thick, pale, white, tiny, big, turned, blur, jpeg.
    """
    height, width = shape or SHEETS[rng.integers(len(SHEETS))]
    side = min(height, width)
    y, x = np.mgrid[:height, :width]
    size = side * rng.uniform(*((0.12, 0.22) if "tiny" in kinds else (0.7, 0.85) if "big" in kinds else (0.3, 0.65)))
    pen = rng.uniform(0.035, 0.055) if "thin" in kinds else rng.uniform(0.16, 0.2) if "thick" in kinds else None
    ink = ink_of(digit, size, pen, rng.uniform(-12, 12) if "turned" in kinds else 0)
    low, high = (0.05, 0.2) if "white" in kinds else (0.8, 0.97)
    paper = rng.uniform(low, high)
    colour = rng.uniform(0.75, 0.97) if "white" in kinds else paper * rng.uniform(0.5, 0.65) if "pale" in kinds else rng.uniform(0.08, 0.3)
    page = np.full((height, width), paper)
    gap, line = side * rng.uniform(0.06, 0.14), max(1, side * rng.uniform(0.003, 0.008))
    slope = np.tan(np.radians(rng.uniform(-5, 5))) if "turned" in kinds else 0
    for name, at in ("lined", y + slope * x), ("squared", y + slope * x), ("squared", x - slope * y):
        if name in kinds:
            page *= 1 - rng.uniform(0.12, 0.4) * np.clip(line / 2 + 0.5 - np.abs(at % gap - gap / 2), 0, 1)
    for _ in range(rng.integers(8, 40) if "dust" in kinds else 0):
        speck = np.clip(side * rng.uniform(0.002, 0.008) + 0.5 - np.hypot(y - rng.uniform(0, height), x - rng.uniform(0, width)), 0, 1)
        page = page * (1 - speck) + (colour + 0.1) * speck
    free = np.ones((height, width), bool)
    left = round(width * rng.uniform(0.1, 0.3)) if "table" in kinds else 0
    if "table" in kinds:
        tilt = np.tan(np.radians(rng.uniform(-3, 3)))
        free = x > left + tilt * (y - height / 2)
        left += round(abs(tilt) * height / 2) + 3
    room = [height - ink.shape[0], width - left - ink.shape[1]]
    if min(room) < 1:
        shrunk = 0.95 * min(height / ink.shape[0], (width - left) / ink.shape[1])
        ink = resized(ink, *(int(shrunk * n) for n in ink.shape)).clip(0, 1)
        room = [height - ink.shape[0], width - left - ink.shape[1]]
    top, start = rng.integers(room[0]), left + rng.integers(room[1])
    here = page[top:top + ink.shape[0], start:start + ink.shape[1]]
    here += ink * (colour - here)
    page = np.where(free, page, rng.uniform(0.1, 0.45) * (1 + 0.1 * smooth_noise(rng, height, width, 8)))
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x / width + np.sin(angle) * y / height
    along = (along - along.min()) / np.ptp(along)
    if "fall" in kinds:
        page = page * (1 - rng.uniform(0.4, 0.75) * along)
    if "vignette" in kinds:
        page = page * (1 - rng.uniform(0.3, 0.6) * ((2 * x / width - 1) ** 2 + (2 * y / height - 1) ** 2) / 2)
    if "shadow" in kinds:
        edge = (along - rng.uniform(0.3, 0.7) + 0.03 * smooth_noise(rng, height, width, side // 3)) / rng.uniform(0.02, 0.08)
        page = page * (1 - rng.uniform(0.25, 0.5) / (1 + np.exp(-edge.clip(-50, 50))))
    if "blur" in kinds:
        page = ndimage.gaussian_filter(page, side * rng.uniform(0.005, 0.012))
    if "noise" in kinds:
        page = page + rng.normal(0, rng.uniform(0.03, 0.05), page.shape)
    photo = np.uint8(255 * page.clip(0, 1))
    if "jpeg" in kinds:
        file = io.BytesIO()
        Image.fromarray(photo).save(file, "JPEG", quality=int(rng.integers(30, 80)))
        photo = np.asarray(Image.open(file))
    return photo
