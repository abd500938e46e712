"""Features of photos by field of the picture, through the same cache as those of whole pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtloc_forensics.modelling.training.features import Backbone, Features, Progress
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import views
from gtloc_forensics.vision.systems import frozen
from gtloc_forensics.vision.systems.frozen import Frozen


class FieldBackbone(Backbone):
    """The frozen part of a base at work on files; gives ``[T · F]`` per photo, half precision."""

    def __init__(self, base: Frozen) -> None:
        """Take over a base that is loaded."""
        super().__init__(base.module, base.manifest, identity=f"{base.identity}|fields-{base.grid}", device=base.device)
        self._base = base

    def _forward(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        seen = [torch.from_numpy(view).to(self._device) for view in views.unpack(chunk, self._specs)]
        with devices.autocast(self._device):
            return frozen.fields(self._base.module, seen, grid=self._base.grid).float().flatten(1).half().cpu()


def field_features(base: Frozen, paths: Sequence[Path], *, cache_dir: Path | None, progress: Progress) -> Features:
    """Return the features of photos by field, ``[N, 1, T · F]``, from the cache where they are in it.

    Raises:
        UsageError: not one photo can be read.
    """
    return FieldBackbone(base).features(paths, view_count=1, seed=0, cache_dir=cache_dir, progress=progress)
