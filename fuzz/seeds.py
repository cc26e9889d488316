"""Small whole files of every kind that is read, made on the spot; the fuzzer damages them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def _picture(width: int = 48, height: int = 32, number: int = 0) -> Picture:
    random = np.random.default_rng(number)
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None]
    image[..., 1] = np.linspace(255, 0, height)[:, None]
    image[..., 2] = random.integers(0, 255, (height, width))
    return image


def stills(folder: Path) -> list[Path]:
    """Every format and mode that Pillow and libheif write: profiles, EXIF, tiles, interlacing, 16 bit, CMYK."""
    from PIL import ImageCms
    from pillow_heif import register_heif_opener

    register_heif_opener()
    colour = PIL.Image.fromarray(_picture())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    exif = PIL.Image.Exif()
    exif[274] = 6
    deep = PIL.Image.fromarray((np.arange(32 * 48, dtype=np.uint16) * 40).reshape(32, 48))
    see_through = colour.copy()
    see_through.putalpha(PIL.Image.linear_gradient("L").resize(colour.size))
    made: list[tuple[str, PIL.Image.Image, dict[str, Any]]] = [
        ("a.jpg", colour, {"exif": exif}),
        ("b.jpg", colour, {"progressive": True, "icc_profile": profile}),
        ("c.jpg", colour.convert("CMYK"), {}),
        ("d.png", colour, {"icc_profile": profile}),
        ("e.png", colour.quantize(16), {"transparency": 3}),
        ("f.png", deep, {}),
        ("g.webp", see_through, {}),
        ("h.webp", colour, {"lossless": True, "exif": exif}),
        ("i.bmp", colour, {}),
        ("j.tif", colour, {"compression": "tiff_lzw"}),
        ("k.tif", deep, {"compression": "tiff_adobe_deflate"}),
        ("l.tif", colour, {"compression": "jpeg"}),
        ("m.gif", colour.quantize(32), {}),
        ("n.heic", colour, {}),
        ("o.avif", see_through, {}),
        ("p.png", colour.convert("1"), {}),
        ("q.tif", PIL.Image.fromarray(_picture().astype(np.float32)[..., 0]), {}),
    ]
    for name, picture, options in made:
        picture.save(folder / name, **options)
    return [folder / name for name, _, _ in made]


def videos(folder: Path) -> list[Path]:
    """Containers and codecs, with and without sound, and animated pictures."""
    kinds = (
        ("a.mp4", "libx264", "yuv420p", "aac"), ("b.mov", "libx264", "yuv420p10le", None),
        ("c.mp4", "libx265", "yuv420p", None), ("d.webm", "libvpx-vp9", "yuva420p", "libopus"),
        ("e.mkv", "libx264", "yuv420p", "pcm_s16le"), ("f.avi", "mjpeg", "yuvj420p", "pcm_s16le"),
        ("g.mpg", "mpeg2video", "yuv420p", "mp2"), ("h.ts", "libx264", "yuv420p", "aac"),
        ("i.mp4", "libsvtav1", "yuv420p", None), ("j.flv", "flv", "yuv420p", None),
        ("k.mp4", "mpeg4", "yuv420p", None),
    )  # fmt: skip
    paths = [_video(folder / name, codec, pixels, sound) for name, codec, pixels, sound in kinds]
    images = [PIL.Image.fromarray(_picture(number=number)) for number in range(4)]
    for name in ("l.gif", "m.webp", "n.png"):
        images[0].save(folder / name, save_all=True, append_images=images[1:], duration=[40, 50, 60, 70])
        paths.append(folder / name)
    return paths


def _video(path: Path, codec: str, pixels: str, sound: str | None) -> Path:
    import av

    options = {"libx264": {"preset": "ultrafast", "g": "4"}, "libx265": {"x265-params": "log-level=none"}}
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=25, options=options.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        heard: Any = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for number in range(6):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(96, 64, number))))
        output.mux(stream.encode(None))
        if heard is not None:
            _tone(output, heard)
    return path


def _tone(output: Any, stream: Any) -> None:
    import av

    form = stream.codec_context.codec.audio_formats[0].name
    values = np.sin(np.arange(9600) / 20).astype(np.float32)[None]
    if "16" in form:
        values = (values * 30_000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(values, "s16" if values.dtype == np.int16 else "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def motions(folder: Path) -> list[Path]:
    """Motion files of one frame and of twenty, even and uneven."""
    from reenact.geometry.face_model import default_face_model
    from reenact.pipeline.motion_file import write_motion
    from reenact.types import Motion

    modes, paths = len(default_face_model().expression), []
    for name, count, step in (("a.motion", 1, 1), ("b.motion", 20, 1), ("c.motion", 12, 7)):
        random = np.random.default_rng(count)
        motion = Motion(
            times=tuple(Fraction(n * n if step > 1 else n, 25) for n in range(count)),
            rotation=random.normal(0, 0.1, (count, 3)).astype(np.float32),
            scale=np.full(count, 0.2, np.float32),
            translation=random.normal(0.5, 0.01, (count, 2)).astype(np.float32),
            expression=random.normal(0, 1, (count, modes)).astype(np.float32),
            found=np.arange(count) % 5 != 3,
            fps=Fraction(25),
            size=(640, 480),
            duration=Fraction(count * count + 1, 25),
        )
        write_motion(folder / name, motion)
        paths.append(folder / name)
    return paths


def face_models(folder: Path) -> list[Path]:
    """A face model of two modes a side."""
    from reenact.geometry.face_model import POINTS, FaceModel

    random = np.random.default_rng(3)
    shapes = ((POINTS, 3), (2, POINTS, 3), (2, POINTS, 3), (POINTS,), (POINTS, 3))
    model = FaceModel(*(abs(random.normal(0, 1, shape)).astype(np.float32) for shape in shapes))
    model.save(folder / "a.safetensors", {"data": "none", "faces": 12})
    return [folder / "a.safetensors"]


def weights(folder: Path) -> list[Path]:
    """A record with its weight file behind it, in one: the reader takes them apart."""
    from safetensors.numpy import save

    tensors = save({"layer.weight": np.arange(12, dtype=np.float16).reshape(3, 4)}, metadata={"format": "pt"})
    record = {
        "file": "net.safetensors",
        "sha256": "0" * 64,
        "purpose": "test",
        "licence": "CC0-1.0",
        "steps": 5,
    }
    (folder / "a.weights").write_bytes(json.dumps(record).encode() + b"\n" + tensors)
    return [folder / "a.weights"]


def options(folder: Path) -> list[Path]:
    """Options files as users write them."""
    texts = (
        'system = "warp"\nsize = 256\npaste = false\nconsent = "yes"\nstart = "1:05"\n',
        "no-mark = true\nsmooth = 0.5\njson = true\n# a comment\ncodec = 'h264'\nquality = 75\n",
        'source = ["a.png", "b.png"]\nfps = "30000/1001"\nanchor = "auto"\nlabel = """x\ny"""\nthreads = 0x2\n',
        "[table]\nsize = 1979-05-27T07:32:00Z\nvalues = [ [1, 2], {a.b = 1} ]\n",
    )
    for number, text in enumerate(texts):
        (folder / f"{number}.toml").write_text(text)
    return sorted(folder.glob("*.toml"))


def certificates(folder: Path) -> list[Path]:
    """A certificate chain with its key, as `--sign-with` takes it, and those that `reenact` makes."""
    from reenact.trust.certificate import local_signer

    local_signer(folder)
    signer = sorted(folder.glob("*.pem"))
    whole = folder / "both.pem"
    whole.write_bytes(b"".join(path.read_bytes() for path in signer))
    return [whole, *signer]


def marked(folder: Path) -> list[Path]:
    """Signed and watermarked pictures and videos, and unmarked ones."""
    from reenact.trust import MarkRecord, Watermark, local_signer, sign_file
    from reenact.trust.manifest import Ingredient

    signer = local_signer(folder / "home")
    inputs = (Ingredient("face.jpg", "ab" * 32, "source", "image/jpeg"),)
    record = MarkRecord("warp", "0", inputs, mark_id=77, consent="given")
    image = PIL.Image.fromarray(Watermark(128, 112, 77).embed(_picture(128, 112)))
    paths = []
    for name in ("a.png", "b.jpg", "c.webp", "d.gif", "e.tif"):
        image.save(folder / name)
        paths.append(folder / name)
    paths += [
        _video(folder / "f.mp4", "libx264", "yuv420p", None),
        _video(folder / "g.webm", "libvpx-vp9", "yuv420p", None),
    ]
    for path in paths:
        sign_file(path, record, signer)
    image.save(folder / "h.bmp")
    return [*paths, folder / "h.bmp"]


def checkpoints(folder: Path) -> list[Path]:
    """Both files of a training checkpoint in one: the reader takes them apart."""
    import torch

    from reenact.training.checkpoint import save

    state = {
        "step": 3,
        "net": {"weight": torch.arange(6.0).reshape(2, 3)},
        "optimiser": {"state": {0: [torch.ones(2), 1.5]}},
    }
    made = save(folder, 3, state)
    joined = (made / "state.json").read_bytes() + SPLIT + (made / "tensors.safetensors").read_bytes()
    (folder / "a.checkpoint").write_bytes(joined)
    return [folder / "a.checkpoint"]


SPLIT = b"\n-- and the tensors --\n"
"""Between the two files of a checkpoint."""
