"""The `reenact` command: one file a verb.

Nothing here imports NumPy, MediaPipe or a network engine before a verb needs it, so that `--help` is instant:
`app.py` names the verbs, `arguments.py` their options, and each verb imports what it runs inside its function.
"""

from __future__ import annotations

import os

# Frames are rendered several at a time on small arrays: threads of BLAS would only fight over the cores. Set
# before NumPy loads; whoever trains can set another number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from reenact.cli.app import main

__all__ = ["main"]
