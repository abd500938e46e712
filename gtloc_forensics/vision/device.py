"""Where a model runs, at which precision, and how many pictures at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import torch

from gtloc_forensics.errors import UsageError

T = TypeVar("T")

_FIRST_SIZE = {"cuda": 256, "mps": 32, "cpu": 16}


def choose(name: str) -> torch.device:
    """Return the device to use.

    Args:
        name: ``auto`` (CUDA, else MPS, else CPU), or a device name as torch knows it.

    Raises:
        UsageError: when that device is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is not a device; choose auto, cuda, cuda:N, mps or cpu") from error
    if not there.get(device.type, False) or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        raise UsageError(
            f"there is no device {name!r} here; choose one of {', '.join(k for k, v in there.items() if v)}"
        )
    return device


def described() -> str:
    """Return torch's version and the device that ``auto`` takes here, for people to read."""
    if torch.cuda.is_available():
        return f"{torch.__version__}, device cuda ({torch.cuda.get_device_name()})"
    if torch.backends.mps.is_available():
        return f"{torch.__version__}, device mps"
    return f"{torch.__version__}, device cpu (no accelerator found; it works, slower)"


def threads() -> int:
    """Return how many threads a model computes with on a processor: sums are rounded in another order with others."""
    return torch.get_num_threads()


def use_threads(count: int) -> None:
    """Have models of this process compute with so many threads."""
    torch.set_num_threads(count)


def instructions() -> str:
    """Return which instructions of the processor torch uses, say ``AVX512``: with others sums are rounded otherwise."""
    return str(torch.backends.cpu.get_cpu_capability())


def precision(device: torch.device) -> torch.dtype:
    """Return the number type in which backbones look at pictures: half of float32's width where that is faster.

    On a processor that is bfloat16 where it multiplies such numbers itself: nearly twice as many pictures a
    second, answers the same to what docs/models.md states, and still the same whatever pictures go beside one.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if device.type == "cpu" and _multiplies_bfloat16() else torch.float32


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """Return the region in which backbones run at :func:`precision`; Fourier phases opt out by themselves."""
    kind = precision(device)
    return torch.autocast(device.type, dtype=kind, enabled=kind is not torch.float32)


def training_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Return the region in which models are trained: as :func:`autocast` on an accelerator, float32 elsewhere."""
    return autocast(device) if device.type == "cuda" else torch.autocast(device.type, enabled=False)


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it; where torch cannot say, it has not."""
    questions = (getattr(torch.cpu, name, bool) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(bool(asked()) for asked in questions)


class BatchSize:
    """How many pictures fit at once, found by trying: halved when memory runs out, and kept."""

    def __init__(self, device: torch.device) -> None:
        """Begin with a size that such a device holds as a rule."""
        self.size = _FIRST_SIZE.get(device.type, 16)

    def run(self, items: Sequence[T], work: Callable[[Sequence[T]], torch.Tensor]) -> Iterator[torch.Tensor]:
        """Yield *work* of slices of *items*, in order.

        Raises:
            torch.OutOfMemoryError: when not even one item fits.
        """
        first = 0
        while first < len(items):
            chunk = items[first : first + self.size]
            try:
                done = work(chunk)
            except torch.OutOfMemoryError:
                if self.size == 1:
                    raise
                self.size = max(1, min(self.size, len(chunk)) // 2)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                continue
            yield done
            first += len(chunk)
