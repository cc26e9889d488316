"""Marks in what is written, and reading them back: manifest, watermark, visible label. See docs/trust.md."""

from reenact.trust.certificate import Signer, known_roots, load_signer, local_signer, root_certificate
from reenact.trust.label import LABELS, Label, draw_label, label_text
from reenact.trust.manifest import (
    Ingredient,
    MarkRecord,
    ingredient,
    new_mark_id,
    sidecar_path,
    sign_file,
    sign_folder,
)
from reenact.trust.provenance import ManifestReading, read_manifest
from reenact.trust.readout import WatermarkReading, read_clip, read_watermark
from reenact.trust.verify import Verification, exit_code, verify, verify_all
from reenact.trust.watermark import Watermark

__all__ = [
    "LABELS",
    "Ingredient",
    "Label",
    "ManifestReading",
    "MarkRecord",
    "Signer",
    "Verification",
    "Watermark",
    "WatermarkReading",
    "draw_label",
    "exit_code",
    "ingredient",
    "known_roots",
    "label_text",
    "load_signer",
    "local_signer",
    "new_mark_id",
    "read_clip",
    "read_manifest",
    "read_watermark",
    "root_certificate",
    "sidecar_path",
    "sign_file",
    "sign_folder",
    "verify",
    "verify_all",
]
