"""A few moved points carry the whole mesh along: from landmarks of a layout back to all 478 points."""

from __future__ import annotations

import numpy as np

from reenact.geometry.face_model import FaceModel, rotation_matrix
from reenact.geometry.schemes import COUNT, WEIGHTS
from reenact.types import FaceState, Points, Scheme

_SLACK = 2e-4
"""How far, in canonical units, the lifted points may miss the wanted ones; it keeps the system solvable."""
_RIGID = 0.3
"""Standard deviation of a change of place, in canonical units, and of size and tilt; wide, for nothing says how
far a face moves as a whole."""


def lifted(model: FaceModel, mesh: Points, state: FaceState, wanted: Points, scheme: Scheme) -> Points:
    """The mesh (478, 3) whose points of `scheme` are `wanted` (N, 2), all in pixels; a mesh that has them
    already stays as it is.

    It is the most probable one: the change from `mesh` is made of the face model's modes, seen in the pose of
    `state`, of place, size and tilt, and of what the modes leave over at each point; all have normal priors, so
    it is a conditional mean. Raises ValueError for points of another scheme.
    """
    if wanted.shape != (COUNT[scheme], 2):
        raise ValueError(f"points {wanted.shape}; {scheme} has {COUNT[scheme]} in the plane")
    weights = WEIGHTS[scheme].astype(np.float64)
    modes = _modes(model, state)
    seen = np.einsum("nv,mvk->mnk", weights, modes[..., :2]).reshape(len(modes), -1)
    spare = model.noise.astype(np.float64).mean(1) ** 2
    own = weights * spare
    covariance = seen.T @ seen + np.kron(own @ weights.T, np.eye(2))
    covariance += _SLACK**2 * np.eye(len(covariance))
    change = (wanted - weights @ mesh[:, :2]) / state.scale
    force = np.linalg.solve(covariance, change.reshape(-1))
    moved = np.tensordot(seen @ force, modes, 1)
    moved[:, :2] += own.T @ force.reshape(-1, 2)
    return (mesh + state.scale * moved).astype(np.float32)


def _modes(model: FaceModel, state: FaceState) -> np.ndarray:
    """(M, 478, 3): what a standard normal coefficient each moves, in canonical units, as the head is turned."""
    turn = rotation_matrix(state.rotation).astype(np.float64)
    face = model.mean @ turn.T
    rigid = np.zeros((4, *face.shape))
    rigid[0, :, 0] = rigid[1, :, 1] = 1
    rigid[2] = face
    rigid[3, :, 0], rigid[3, :, 1] = -face[:, 1], face[:, 0]
    return np.concatenate([np.concatenate([model.identity, model.expression]) @ turn.T, _RIGID * rigid])
