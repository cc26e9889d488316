"""What a stage would cost, found out without computing it: networks of shapes without numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reenact.systems.spec import Settings, Stage, StageSpec
from reenact.training.settings import as_json

_MOMENTS = 2  # Adam's


def describe_stage(stage: StageSpec, settings: Settings) -> dict[str, Any]:
    """Parameters, GFLOPs of one sample's forward pass and memory of a step, of each network of a stage.

    `memory_mb`: fp32 weights, their gradients, Adam's two moments, the running mean, and what the forward pass
    of a batch keeps for the backward pass (at the precision of the preset); what libraries take is not in it.
    """
    with torch.device("meta"):
        built = stage.build(settings)
        networks = {name: _network(built, settings, name) for name in built.networks}
    return {
        "stage": stage.name,
        "title": stage.title,
        "settings": as_json(settings),
        "networks": networks,
        "parameters": sum(one["parameters"] for one in networks.values()),
        "memory_mb": round(sum(one["memory_mb"] for one in networks.values()), 1),
    }


def lines(record: dict[str, Any]) -> list[str]:
    """The record for people, a line a network."""
    text = [f"{record['stage']}: {record['title']}"]
    for name, one in record["networks"].items():
        text.append(
            f"  {name}: {one['parameters']:,} parameters ({one['fp16_mb']:.2f} MB as fp16), "
            f"{one['gflops']:.3g} GFLOPs a sample forward, about {one['memory_mb']:,.0f} MB in training"
        )
    text.append("  " + " ".join(f"{name}={value}" for name, value in record["settings"].items()))
    return text


def _network(stage: Stage, settings: Settings, name: str) -> dict[str, Any]:
    network = stage.networks[name].to("meta")
    count = sum(p.numel() for p in network.parameters())
    states = count * 4 * (2 + _MOMENTS + (name in stage.averaged and settings.mean > 0))
    kept = _kept_bytes(network, _on_meta(stage.examples(settings.batch)[name]), settings)
    return {
        "parameters": count,
        "fp16_mb": round(count * 2 / 1e6, 3),
        "gflops": round(_flops(network, _on_meta(stage.examples(1)[name])) / 1e9, 6),
        "memory_mb": round((states + kept) / 1e6, 1),
    }


def _flops(network: nn.Module, inputs: tuple[Tensor, ...]) -> int:
    """Of one forward pass; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    return counter.get_total_flops()


def _kept_bytes(network: nn.Module, inputs: tuple[Tensor, ...], settings: Settings) -> int:
    """What a forward pass keeps for the backward pass, without the weights themselves."""
    own = {id(p) for p in network.parameters()}
    seen: dict[int, tuple[Tensor, int]] = {}

    def pack(tensor: Tensor) -> Tensor:
        if id(tensor) not in own:
            seen[id(tensor)] = (tensor, tensor.numel() * tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(*inputs)
    half = settings.precision == "bf16"
    return sum(size for _, size in seen.values()) // (2 if half else 1)


def _on_meta(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value.to("meta") for value in inputs)
