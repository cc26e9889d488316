"""A process that reads damaged files one after the other, within limits; the campaign starts and watches it.

`python -m fuzz.worker READER SEEDS SCRATCH BEGIN END` prints one JSON line an input. Dying on an input is an
answer too: the campaign knows which one it was.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
import zlib
from pathlib import Path
from random import Random

from fuzz.mutate import mutated
from fuzz.readers import READERS, Reader

CPU_SECONDS = 10
MOST_BYTES = 2 << 30
"""What one input may cost; memory is that of the whole process, its libraries included."""

_HARD_BYTES = 5 << 30


def make_input(name: str, seeds: list[Path], number: int) -> tuple[bytes, str]:
    """Input `number` of a reader, always the same, and its suffix."""
    reader, random = READERS[name], Random(zlib.crc32(f"{name} {number}".encode()))
    seed = seeds[number % len(seeds)]
    others = [path.read_bytes() for path in random.sample(seeds, min(2, len(seeds)))]
    data = mutated(seed.read_bytes(), random, others)
    if reader.repair is not None and random.random() < 0.5:
        data = reader.repair(data, random)
    return data, seed.suffix


def read_one(reader: Reader, path: Path) -> dict[str, object]:
    """What became of one input: 'read', 'refused' or 'fault', and what it cost."""
    from reenact.errors import ReenactError

    _forget_peak()
    began = time.process_time()
    _limit_cpu()
    answer: dict[str, object] = {"what": "read"}
    try:
        reader.read(path)
    except ReenactError as error:
        answer = {"what": "refused"}
        if "\n" in str(error) or not str(error):
            answer = {"what": "fault", "why": f"not one line: {error}"}
    except BaseException:
        answer = {"what": "fault", "why": traceback.format_exc()[-3000:]}
    seconds, peak = time.process_time() - began, _peak()
    if seconds > CPU_SECONDS:
        answer = {"what": "slow", "why": f"{seconds:.1f} s of CPU"}
    if peak > MOST_BYTES:
        answer = {"what": "large", "why": f"{peak / 2**20:.0f} MiB"}
    return {**answer, "seconds": round(seconds, 3), "peak": peak}


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + 3 * CPU_SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _forget_peak() -> None:
    """Let the high-water mark of memory begin anew (Linux)."""
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def _peak() -> int:
    """Bytes of memory at the most since the last `_forget_peak`."""
    with open("/proc/self/status") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def main() -> None:
    """Read inputs BEGIN to END and print what became of each."""
    name, folder, scratch, begin, end = sys.argv[1:6]
    out = os.fdopen(os.dup(1), "w")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    seeds = sorted(path for path in Path(folder).iterdir() if path.is_file())
    resource.setrlimit(resource.RLIMIT_DATA, (_HARD_BYTES, _HARD_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
    for number in range(int(begin), int(end)):
        data, suffix = make_input(name, seeds, number)
        path = Path(scratch) / f"input{suffix}"
        path.write_bytes(data)
        answer = read_one(READERS[name], path)
        path.unlink(missing_ok=True)
        print(json.dumps({"number": number, **answer}), file=out, flush=True)
        if answer["what"] == "large":
            return  # what was not given back would be laid at the next one's door


if __name__ == "__main__":
    main()
