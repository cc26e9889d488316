"""A stage that goes on with what another one has learned."""

from __future__ import annotations

from pathlib import Path

from reenact.errors import ReenactError
from reenact.systems.spec import Stage
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
