"""Marked files and certificates made on the spot."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import av
import numpy as np
import pillow_heif
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image as Pictures
from skimage.data import astronaut

from reenact.trust import MarkRecord, Watermark
from reenact.trust.manifest import Ingredient

MARK_ID = 0xC0FFEE42
STILLS = ["png", "jpg", "webp", "gif", "tif", "heic", "avif"]
VIDEOS = ["mp4", "mov", "webm", "mkv"]


def record(**changes: object) -> MarkRecord:
    """A manifest's content with one ingredient of each role."""
    inputs = (
        Ingredient("face.jpg", "ab" * 32, "source", "image/jpeg"),
        Ingredient("d.mp4", "cd" * 32, "driving"),
    )
    fields = {"system": "warp", "version": "0.1.0", "ingredients": inputs, "mark_id": MARK_ID, **changes}
    return MarkRecord(**fields)  # type: ignore[arg-type]


def marked_picture(mark_id: int = MARK_ID) -> np.ndarray:
    return Watermark(512, 512, mark_id).embed(astronaut())


def frames(count: int = 10, mark_id: int | None = MARK_ID) -> list[np.ndarray]:
    """A still scene with camera noise, each frame marked."""
    rng = np.random.default_rng(5)
    mark = Watermark(512, 512, mark_id) if mark_id is not None else None
    noisy = (astronaut() + rng.normal(0, 2, (512, 512, 1)) for _ in range(count))
    plain = [np.clip(f, 0, 255).astype(np.uint8) for f in noisy]
    return [mark.embed(f) for f in plain] if mark else plain


def write_video(path: Path, pictures: list[np.ndarray], crf: int = 20, preset: str = "veryfast") -> Path:
    codec = "libvpx-vp9" if path.suffix == ".webm" else "libx264"
    options = {"crf": str(crf), **({"preset": preset} if codec == "libx264" else {"cpu-used": "8", "b": "0"})}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path


def read_video(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def write(path: Path, *, marked: bool = True) -> Path:
    """A file of the kind its suffix says, its pixels watermarked or not, without manifest."""
    if path.suffix[1:] in VIDEOS:
        return write_video(path, frames(mark_id=MARK_ID if marked else None))
    pillow_heif.register_heif_opener()
    Pictures.fromarray(marked_picture() if marked else astronaut()).save(path)
    return path


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """The file for --sign-with, as an authority would give it, and the authority's own, for --trust."""
    authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, name = _name("authority"), _name("Ada")
    root = _issued(issuer, issuer, authority, authority, ca=True)
    signed = _issued(name, issuer, leaf, authority, ca=False)
    form = serialization.PrivateFormat.PKCS8
    key = leaf.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    own, above = folder / "own.pem", folder / "authority.pem"
    own.write_bytes(signed + root + key)
    above.write_bytes(root)
    return own, above


def _name(common: str) -> x509.Name:
    parts = {NameOID.COMMON_NAME: common, NameOID.ORGANIZATION_NAME: "A"}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def _issued(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> bytes:
    """The certificate of a key, for two days about now: PEM."""
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca, 0 if ca else None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    below = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(below, critical=False).add_extension(above, critical=False)
    if not ca:
        extended = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(extended, critical=False)
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
