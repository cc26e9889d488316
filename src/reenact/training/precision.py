"""Which arithmetic a training uses: `precision=auto` in what the processor multiplies fastest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from reenact.systems.spec import Settings

_CPU_BF16 = ("amx_bf16", "avx512_bf16")
"""Units that multiply bf16, under PyTorch's names. Elsewhere it is emulated: a tenth of fp32's pace on AVX2."""


def resolve(settings: Settings, device: str = "auto") -> Settings:
    """The settings with 'auto' replaced by 'bf16' where the device multiplies it natively, else by '32'.

    device: 'auto', 'cpu' or 'cuda', as `--device` has it. What was chosen already stays.
    """
    if settings.precision != "auto":
        return settings
    native = gpu_has_bf16() if _on_gpu(device) else cpu_has_bf16()
    return replace(settings, precision="bf16" if native else "32")


def words(asked: str, settings: Settings, device: str = "auto") -> str:
    """For the line at the start: which arithmetic, and why where the device decided ('auto' was asked)."""
    name = "bf16 autocast" if settings.precision == "bf16" else "fp32"
    if asked != "auto":
        return name
    what = "GPU" if _on_gpu(device) else "processor"
    return f"{name}, since this {what} {'has' if settings.precision == 'bf16' else 'has no'} bf16 units"


def cpu_has_bf16(capabilities: Mapping[str, object] | None = None) -> bool:
    """Whether the processor multiplies bf16 natively. capabilities: of `torch.cpu.get_capabilities`."""
    if capabilities is None:
        read = getattr(torch.cpu, "get_capabilities", None)
        capabilities = read() if read else {}
    return any(capabilities.get(name) for name in _CPU_BF16)


def gpu_has_bf16() -> bool:
    """Whether the GPU multiplies bf16 natively (Ampere and later), not by emulation."""
    return torch.cuda.is_bf16_supported(including_emulation=False)


def _on_gpu(device: str) -> bool:
    return device != "cpu" and torch.cuda.is_available()
