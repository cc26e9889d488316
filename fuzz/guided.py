"""One reader under Atheris: inputs that reach new branches of our Python code are kept and changed further.

`python -m fuzz.guided READER [LIBFUZZER OPTIONS]`, such as `-runs=100000` or `-max_total_time=600`; the corpus
grows in fuzz/state/corpus/READER. Needs the extra `fuzz`. Only Python is followed: the decoders below it
(FFmpeg, libjpeg, ...) are compiled without instruments and see what our own branches lead to.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reenact", "tomllib", "safetensors"]):
    import reenact.cli.config
    import reenact.geometry.face_model
    import reenact.media.audio
    import reenact.media.reader
    import reenact.media.stills
    import reenact.media.video
    import reenact.pipeline.motion_file
    import reenact.runtime.weights
    import reenact.trust.certificate
    import reenact.trust.verify  # noqa: F401

from fuzz.readers import READERS
from reenact.errors import ReenactError

STATE = Path(__file__).parent / "state"


def main() -> None:
    """Fuzz the reader named first until told to stop; anything but ReenactError ends the run with its input."""
    name, *options = sys.argv[1:]
    reader, corpus = READERS[name], STATE / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp())
    seeds = scratch / "seeds"
    seeds.mkdir()
    found = reader.seeds(seeds)
    suffixes = [path.suffix for path in found]
    for path in found:
        shutil.copy(path, corpus)

    def one(data: bytes) -> None:
        path = scratch / f"input{suffixes[len(data) % len(suffixes)]}"
        path.write_bytes(data)
        with suppress(ReenactError):
            reader.read(path)

    limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", f"-artifact_prefix={STATE}/findings/"]
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
