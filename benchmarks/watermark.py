"""How well the watermark survives: attack against detection, id and bit errors; and false alarms.

    python benchmarks/watermark.py                      pictures and clips made on the spot
    python benchmarks/watermark.py FOLDER [FOLDER ...]  one's own videos and stills, searched through
    python benchmarks/watermark.py FOLDER --false-alarms  only: every frame and still, unmarked

Prints Markdown tables, as in docs/trust.md. A 'frame' is one picture alone; a 'clip' is eight frames of a video
read together.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from reenact.trust import Watermark, read_clip, read_watermark
from reenact.trust.readout import bit_errors
from reenact.types import Image

MARK_ID = 0x5EAF00D5
CLIP_FRAMES, READ_FRAMES = 48, 8
VIDEOS = {".mp4", ".mov", ".webm", ".mkv", ".avi"}
STILLS = {".png", ".jpg", ".jpeg", ".webp"}


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--clips", type=int, default=12, help="clips to attack, spread over what is there")
    parser.add_argument("--stills", type=int, default=60, help="stills to attack, spread over what is there")
    parser.add_argument(
        "--smallest", type=int, default=128, help="leave out pictures with a shorter side, in pixels"
    )
    parser.add_argument("--false-alarms", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.false_alarms:
        print_false_alarms(arguments.folders)
        return
    clips, stills = _material(arguments)
    print_speed()
    attacks = {"as PNG": lambda clip: clip, **VIDEO_ATTACKS}
    for title, small in (("Videos of 400 px and more", False), ("Videos under 400 px", True)):
        print_attacks(title, attacks, [c for c in clips if (min(c[0].shape[:2]) < 400) is small])
    print_attacks("Panning videos (the hard case)", attacks, [_panned(image) for image in _examples()])
    print_attacks("Stills", STILL_ATTACKS, [[still] for still in stills])


def print_speed() -> None:
    """CPU time of embedding and reading on one thread, 512 x 512 px: what other work on the machine takes away
    is not counted."""
    image = skimage.data.astronaut()
    mark = Watermark(512, 512, MARK_ID)
    marked = mark.embed(image)
    for name, work in {
        "embed": lambda: mark.embed(image),
        "read, marked": lambda: read_watermark(marked),
        "read, unmarked": lambda: read_watermark(image),
    }.items():
        times = []
        for _ in range(30):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        print(f"{name}: {1000 * float(np.median(times)):.1f} ms of CPU (median of 30)")


def print_attacks(
    title: str, attacks: dict[str, Callable[[list[Image]], list[Image]]], clips: list[list[Image]]
) -> None:
    """Mark each clip, attack it, read it; print one row an attack."""
    if not clips:
        return
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    quality = []
    for frames in clips:
        height, width = frames[0].shape[:2]
        mark = Watermark(width, height, MARK_ID)
        marked = [mark.embed(frame) for frame in frames]
        quality += [_psnr(a, b) for a, b in zip(frames[::8], marked[::8], strict=True)]
        written = _h264(marked, 20, "veryfast") if len(frames) > 1 else marked
        for name, attack in attacks.items():
            source = marked if name == "as PNG" else written
            rows[name].append(_measure(attack(source)))
    sizes = [min(c[0].shape[:2]) for c in clips]
    print(f"\n### {title}: {len(clips)} of {min(sizes)} to {max(sizes)} px (shorter side)\n")
    print(f"PSNR against the unmarked picture: lowest {min(quality):.1f} dB, mean {np.mean(quality):.1f} dB\n")
    print("| attack | frame: detected | frame: id read | frame: bit errors | clip: detected | clip: id read |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, values in rows.items():
        frame_seen, frame_id, errors, seen, read = np.mean(np.array(values), axis=0)
        group = f"{seen:.1%} | {read:.1%}" if len(clips[0]) > 1 else "- | -"
        print(f"| {name} | {frame_seen:.1%} | {frame_id:.1%} | {errors:.3f} | {group} |", flush=True)


def _measure(frames: list[Image]) -> tuple[float, float, float, float, float]:
    chosen = frames[:: max(1, len(frames) // READ_FRAMES)][:READ_FRAMES]
    readings = [read_watermark(frame) for frame in chosen]
    whole = read_clip(chosen)
    wrong = [r for r in (*readings, whole) if r.mark_id not in (None, MARK_ID)]
    if wrong:
        raise SystemExit(f"a wrong id was read: {wrong}")
    return (
        float(np.mean([r.present for r in readings])),
        float(np.mean([r.mark_id == MARK_ID for r in readings])),
        float(np.mean([bit_errors(frame, MARK_ID) for frame in chosen])),
        float(whole.present),
        float(whole.mark_id == MARK_ID),
    )


def print_false_alarms(folders: list[Path]) -> None:
    """Read every unmarked frame and still; count what is taken for a mark."""
    total = alarms = 0
    highest = 0.0
    for path, image in _everything(folders):
        reading = read_watermark(image)
        total += 1
        highest = max(highest, reading.score)
        if reading.present:
            alarms += 1
            print(f"false alarm: {path.name}: {reading}", flush=True)
        if total % 1000 == 0:
            print(f"{total} pictures, {alarms} false alarms", flush=True)
    print(f"{total} unmarked pictures: {alarms} false alarms; highest score in place {highest:.1f}")


# Attacks


def _h264(frames: list[Image], crf: int, preset: str = "medium") -> list[Image]:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": preset})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    buffer.seek(0)
    return list(_decode(buffer))


def _jpeg(image: Image, quality: int) -> Image:
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def _scale(image: Image, factor: float) -> Image:
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=kind), np.uint8)


def _crop(image: Image, share: float) -> Image:
    """Cut `share` of width and height away, unevenly."""
    height, width = image.shape[:2]
    top, left = round(height * share * 0.3), round(width * share * 0.7)
    return np.ascontiguousarray(
        image[top : top + round(height * (1 - share)), left : left + round(width * (1 - share))]
    )


def _each(work: Callable[[Image], Image]) -> Callable[[list[Image]], list[Image]]:
    return lambda frames: [work(frame) for frame in frames]


STILL_ATTACKS: dict[str, Callable[[list[Image]], list[Image]]] = {
    "as PNG": lambda frames: frames,
    "JPEG 75": _each(lambda image: _jpeg(image, 75)),
    "JPEG 50": _each(lambda image: _jpeg(image, 50)),
    "scaled to 50 %": _each(lambda image: _scale(image, 0.5)),
    "scaled to 200 %": _each(lambda image: _scale(image, 2.0)),
    "10 % of width and height cut away": _each(lambda image: _crop(image, 0.1)),
    "20 % of width and height cut away": _each(lambda image: _crop(image, 0.2)),
    "10 % cut away, then JPEG 75": _each(lambda image: _jpeg(_crop(image, 0.1), 75)),
}
VIDEO_ATTACKS: dict[str, Callable[[list[Image]], list[Image]]] = {
    "as written (H.264 CRF 20, veryfast)": lambda frames: frames,
    "then H.264 CRF 28": lambda frames: _h264(frames, 28),
    "then H.264 CRF 35": lambda frames: _h264(frames, 35),
    **{f"then {name}": attack for name, attack in STILL_ATTACKS.items() if name != "as PNG"},
    "then 50 % and H.264 CRF 28": lambda frames: _h264([_even(_scale(f, 0.5)) for f in frames], 28),
}


def _even(image: Image) -> Image:
    return np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])


def _psnr(a: Image, b: Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(np.float64) - b) ** 2)))


# Material


def _material(arguments: argparse.Namespace) -> tuple[list[list[Image]], list[Image]]:
    if not arguments.folders:
        return [_swayed(image) for image in _examples()], _examples()
    videos, stills = _files(arguments.folders)
    clips = [clip for path in _spread(videos, arguments.clips) if (clip := _load(path))]
    pictures = [_picture(path) for path in _spread(stills, arguments.stills)]
    big = [p for p in pictures if p is not None and min(p.shape[:2]) >= arguments.smallest]
    return [c for c in clips if min(c[0].shape[:2]) >= arguments.smallest], big


def _examples() -> list[Image]:
    return [skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee()]


def _swayed(image: Image) -> list[Image]:
    """A clip like an animated portrait: the middle sways by up to 8 px, the surroundings stand still."""
    image = _even(image)
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    near = 8 * np.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / (2 * (0.2 * height) ** 2))
    turns = np.sin(2 * np.pi * np.arange(CLIP_FRAMES) / 20)
    return _grainy([cv2.remap(image, x + near * t, y + near * t / 3, cv2.INTER_LINEAR) for t in turns])


def _panned(image: Image) -> list[Image]:
    """A clip in which everything moves a pixel a frame, so that the codec drags the mark along."""
    side = min(min(image.shape[:2]) - CLIP_FRAMES, 480) // 2 * 2
    return _grainy([image[n : n + side, n : n + side] for n in range(CLIP_FRAMES)])


def _grainy(frames: list[NDArray]) -> list[Image]:
    """Add a camera's noise, two levels."""
    rng = np.random.default_rng(0)
    noise = (rng.normal(0, 2, (*frame.shape[:2], 1)) for frame in frames)
    return [np.clip(f + grain, 0, 255).astype(np.uint8) for f, grain in zip(frames, noise, strict=True)]


def _files(folders: list[Path]) -> tuple[list[Path], list[Path]]:
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())
    return [p for p in paths if p.suffix.lower() in VIDEOS], [p for p in paths if p.suffix.lower() in STILLS]


def _spread(paths: list[Path], count: int) -> list[Path]:
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, count).astype(int))] if paths else []


def _decode(source: str | io.BytesIO) -> Iterator[Image]:
    with av.open(source, "r") as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _frames(path: Path) -> Iterator[Image]:
    return _decode(str(path))


def _load(path: Path) -> list[Image]:
    return [_even(frame) for frame, _ in zip(_frames(path), range(CLIP_FRAMES), strict=False)]


def _picture(path: Path) -> Image | None:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if image is None else np.ascontiguousarray(image[..., ::-1], np.uint8)


def _everything(folders: list[Path]) -> Iterator[tuple[Path, Image]]:
    videos, stills = _files(folders)
    for path in videos:
        yield from ((path, frame) for frame in _frames(path))
    for path in stills:
        if (image := _picture(path)) is not None:
            yield path, image


if __name__ == "__main__":
    main()
