"""A stage that goes on with what another one has learned, or what weights hold."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from reenact.errors import ReenactError
from reenact.runtime.weights import find
from reenact.systems.spec import Stage
from reenact.systems.trained import network_tensors
from reenact.training import checkpoint


def go_on_with(stage: Stage, folder: Path, start: str) -> None:
    """Put the networks of another run's newest checkpoint into a stage whose own run in `folder` has none yet.

    start: that run's folder, seen from `folder`; '' begins anew. Raises ReenactError where no run is there, or
    its networks are of other settings.
    """
    if not start or checkpoint.latest(folder / "checkpoints"):
        return
    run = folder / start
    path = checkpoint.latest(run / "checkpoints")
    if path is None:
        raise ReenactError(
            f"--set start={start}: no run with a checkpoint in {run}; train that stage first, or give its "
            "folder, seen from --out"
        )
    networks = checkpoint.load(path)["networks"]
    try:
        for name, network in stage.networks.items():
            network.load_state_dict(networks[name])
    except (KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ReenactError(
            f"{path}: does not fit these networks ({reason}); give both stages the same --set"
        ) from None


def load_weights(stage: Stage, weights: str) -> None:
    """Put the networks of a weight file into a stage; those that the file does not hold, as discriminators,
    stay as they are.

    weights: a file, or the name of installed weights. Raises ReenactError where it is not there, or holds none
    of these networks or others of the same name.
    """
    path = Path(weights) if weights.endswith(".safetensors") else find(weights).path
    try:
        found = {name: network_tensors(path, name) for name in stage.networks}
    except (OSError, SafetensorError) as error:
        raise ReenactError(f"--set weights={weights}: cannot be read ({error})") from None
    if not any(found.values()):
        raise ReenactError(f"{path}: holds none of this stage's networks ({', '.join(stage.networks)})")
    for name, own in found.items():
        try:
            if own:
                stage.networks[name].load_state_dict(own)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ReenactError(
                f"{path}: does not fit network {name!r} ({reason}); give this stage the settings of the weights"
            ) from None
