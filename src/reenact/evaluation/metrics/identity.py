"""Is it still the same person? Figures over an embedder, whose name belongs beside them."""

from __future__ import annotations

import numpy as np

from reenact.perception.identity import IdentityEmbedder
from reenact.types import Floats


def csim(result: Floats, truth: Floats) -> float:
    """Cosine of the angle between two identity vectors (D,); 1 is equal.

    Source: HR-Net (against the truth), DG (against the source), GLG; they embed with ArcFace. Vectors of
    another network have another scale of cosines: dlib's lie between about .8 and 1.
    """
    return float(result @ truth / max(float(np.linalg.norm(result) * np.linalg.norm(truth)), 1e-9))


def verification_accuracy(results: Floats, sources: Floats, embedder: IdentityEmbedder) -> float:
    """Share in per cent of vectors (K, D) that the embedder takes for the person of `sources` (K, D), by its
    own threshold. Source: OSFR section 4.1.4 (ID%)."""
    if len(results) != len(sources) or not len(results):
        raise ValueError(f"as many results as sources are needed, at least one: {len(results)}, {len(sources)}")
    same = [embedder.same_person(one, other) for one, other in zip(results, sources, strict=True)]
    return float(100 * np.mean(same))
