"""timm imports beside any build of torch; what else can go wrong is said, not hidden."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision import torchvision_shim


def test_timm_imports_in_a_fresh_process_and_twice() -> None:
    code = (
        "from gtloc_forensics.vision.torchvision_shim import timm_module\n"
        "assert timm_module() is timm_module()\n"
        "print(timm_module().create_model('resnet10t', pretrained=False, num_classes=0).num_features)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "512"


def test_timm_comes_without_torchs_compilers_and_they_still_work_when_something_is_compiled() -> None:
    code = """
import sys
from gtloc_forensics.vision.torchvision_shim import timm_module
timm = timm_module()
assert "torch._dynamo" not in sys.modules and "torch._dynamo.utils" not in sys.modules
import torch
net = timm.create_model("resnet10t", pretrained=False, num_classes=0).eval()
picture = torch.rand(1, 3, 64, 64)
with torch.inference_mode():
    assert torch.equal(torch.compile(net, backend="eager")(picture), net(picture))
assert "torch._dynamo" in sys.modules
from torch._dynamo.utils import counters
roi_align = sys.modules["torchvision.ops.roi_align"]
assert roi_align.is_compile_supported("cpu") in (True, False)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_else_is_wanted_of_the_compilers_while_they_are_put_off_loads_them() -> None:
    code = """
import sys
from gtloc_forensics.vision import torchvision_shim
import torch
with torchvision_shim._compilers_later():
    kept = torch.compiler.disable(lambda value: value + 1)
    assert kept(1) == 2 and "torch._dynamo" not in sys.modules
    from torch._dynamo.utils import counters
assert "torch._dynamo" in sys.modules and kept(1) == 2
assert torch.compiler.disable.__module__ == "torch.compiler"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("error", [ImportError("no torchvision"), RuntimeError("something else is wrong")])
def test_another_failure_is_told_with_a_remedy(monkeypatch, error: Exception) -> None:
    def broken(name: str):
        raise error

    monkeypatch.setattr(torchvision_shim.importlib, "import_module", broken)
    with pytest.raises(WeightsError, match="must belong together"):
        torchvision_shim.timm_module()


def test_the_operators_are_declared_only_for_the_known_failure(monkeypatch) -> None:
    declared, failures = [], [RuntimeError("operator torchvision::nms does not exist")]

    def once(name: str):
        if name == "torchvision" and failures:
            raise failures.pop()
        return name

    monkeypatch.setattr(torchvision_shim.importlib, "import_module", once)
    monkeypatch.setattr(torchvision_shim, "_declare_operators", lambda: declared.append(1))
    monkeypatch.setattr(torchvision_shim.sys, "modules", {"torchvision.ops": 1, "torch": 2})
    assert torchvision_shim.timm_module() == "timm"
    assert declared == [1] and list(torchvision_shim.sys.modules) == ["torch"]
    assert torchvision_shim.timm_module() == "timm" and declared == [1]
