"""timm and transformers beside a CPU build of torch: the one place that knows of the torchvision trap.

torchvision's wheel on package indexes is built for CUDA. Beside a CPU build of torch
its compiled half cannot be loaded, and then its Python half stops at import because
two operators (``nms``, ``qnms``) were never declared; timm imports torchvision
unconditionally, so timm stops too. Declaring the two schemas is enough: nothing
here ever calls them. Where torchvision imports normally this does nothing.

Beside that torchvision and timm load torch's compilers at import, 70 MB and more than a second, to be able to
answer two questions that nobody asks who does not compile. Both are answered when they are asked.
``docs/decisions/0008-torchvision-shim.md`` has the versions.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from gtloc_forensics.errors import MissingExtra, WeightsError

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_COMPILERS, _ASKED_OF_THEM = "torch._dynamo", "torch._dynamo.utils"
_lock = threading.Lock()


def timm_module() -> ModuleType:
    """Import and return timm.

    Raises:
        WeightsError: when timm, torch or torchvision is missing or they do not belong together.
    """
    with _lock:
        try:
            with _compilers_later():
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


@contextmanager
def _compilers_later() -> Iterator[None]:
    """Let what is imported meanwhile put off loading torch's compilers until something is compiled.

    torchvision wants of them whether a device can be compiled for, timm that a function be left out of compiling.
    Where they are loaded already, nothing is put off; afterwards everything is as it was.
    """
    import torch.compiler

    if _COMPILERS in sys.modules:
        yield
        return
    stand_in, disable = ModuleType(_ASKED_OF_THEM), torch.compiler.disable
    vars(stand_in).update(is_compile_supported=_is_compile_supported, __getattr__=_of_the_compilers)
    sys.modules[_ASKED_OF_THEM] = stand_in
    torch.compiler.disable = functools.partial(_left_out_of_compiling, disable)
    try:
        yield
    finally:
        torch.compiler.disable = disable
        if sys.modules.get(_ASKED_OF_THEM) is stand_in:
            del sys.modules[_ASKED_OF_THEM]


def _is_compile_supported(device_type: str) -> bool:
    """Return what torch's compilers say, loading them now."""
    return bool(_of_the_compilers("is_compile_supported")(device_type))


def _of_the_compilers(name: str) -> Any:
    """Return whatever else is wanted of torch's compilers: then there is nothing to put off."""
    if name.startswith("__"):
        raise AttributeError(name)
    sys.modules.pop(_ASKED_OF_THEM, None)
    return getattr(importlib.import_module(_ASKED_OF_THEM), name)


def _left_out_of_compiling(
    disable: Callable[..., Any], function: Callable[..., Any] | None = None, *options: Any, **named: Any
) -> Callable[..., Any]:
    """Return *function*, left out of compiling by torch's own *disable* as soon as anything can compile it."""
    if function is None:
        return functools.partial(_left_out_of_compiling, disable, *options, **named)
    left_out: list[Callable[..., Any]] = []

    @functools.wraps(function)
    def called(*given: Any, **by_name: Any) -> Any:
        if _COMPILERS not in sys.modules:
            return function(*given, **by_name)
        if not left_out:
            left_out.append(disable(function, *options, **named))
        return left_out[0](*given, **by_name)

    return called
