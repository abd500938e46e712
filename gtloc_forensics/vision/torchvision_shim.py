"""timm and transformers beside a CPU build of torch: the one place that knows of the torchvision trap.

torchvision's wheel on package indexes is built for CUDA. Beside a CPU build of torch
its compiled half cannot be loaded, and then its Python half stops at import because
two operators (``nms``, ``qnms``) were never declared; timm imports torchvision
unconditionally, so timm stops too. Declaring the two schemas is enough: nothing
here ever calls them. Where torchvision imports normally this does nothing.
``docs/decisions/0008-torchvision-shim.md`` has the versions.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType

from gtloc_forensics.errors import MissingExtra, WeightsError

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_lock = threading.Lock()


def timm_module() -> ModuleType:
    """Import and return timm.

    Raises:
        WeightsError: when timm, torch or torchvision is missing or they do not belong together.
    """
    with _lock:
        try:
            _import_torchvision()
            return importlib.import_module("timm")
        except (ImportError, RuntimeError) as error:
            raise WeightsError(
                f"timm cannot be imported ({error}); torch, torchvision and timm must belong together: "
                "pip install -e . installs versions that do"
            ) from error


def transformers_module() -> ModuleType:
    """Import and return transformers, which stops at the same torchvision as timm does.

    Raises:
        MissingExtra: it is not installed.
        WeightsError: it cannot be imported beside this torch.
    """
    with _lock:
        if importlib.util.find_spec("transformers") is None:
            raise MissingExtra("a text tower", "text")
        try:
            _import_torchvision()
            return importlib.import_module("transformers")
        except (ImportError, RuntimeError) as error:
            raise WeightsError(
                f"transformers cannot be imported ({error}); pip install 'gtloc_forensics[text]' brings one that can"
            ) from error


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        _declare_operators()
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        importlib.import_module("torchvision")


def _declare_operators() -> None:
    import torch

    for name in _OPERATORS:
        torch.library.define(f"torchvision::{name}", _SCHEMA)
