"""The certificate that signs manifests: a local one made on first use, or one's own.

The local identity is a root and a leaf on the curve P-256 (ES256), kept in the user's configuration folder
and readable by the user alone. Nobody else knows that root, so other people's validators report an
'untrusted signer': the seal shows that a file is unchanged since it was written, not who wrote it. Whoever
wants a name on the seal gives a certificate from an authority (`load_signer`).

The leaf follows the certificate profile of the C2PA specification, chapter 'X.509 certificates': version 3,
not a CA, key usage 'digital signature' alone, extended key usage 'e-mail protection', subject and authority
key identifiers, an organisation in the subject.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reenact.errors import ReenactError

ROOT_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 1825, 30
"""Validity of root and leaf, and how long before its end the leaf is made anew. The leaf lives long because
there are no timestamps (no network): a validator judges an old file by the certificate's end."""

_SIGNABLE = (ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string, "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1")
"""Extended key usages that C2PA accepts for claims: e-mail protection, document signing, C2PA signing."""

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signer:
    """A certificate chain (PEM, leaf first) and the leaf's private key (PEM), ready to sign.

    name: who signs, for people. algorithm: one of 'es256', 'es384', 'es512', 'ps256', 'ed25519'.
    local: True for the identity made on this computer, False for one's own certificate.
    """

    name: str
    algorithm: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    local: bool = True


def config_dir() -> Path:
    """The folder of the user's settings: REENACT_HOME, else `reenact` below XDG_CONFIG_HOME or ~/.config."""
    override = os.environ.get("REENACT_HOME")
    if override:
        return Path(override)
    base = os.environ.get("XDG_CONFIG_HOME")
    try:
        return (Path(base) if base else Path.home() / ".config") / "reenact"
    except RuntimeError as error:  # a user without an entry, as in some containers
        raise ReenactError("no home folder for the certificate; set REENACT_HOME to a folder") from error


def local_signer(home: Path | None = None) -> Signer:
    """The identity of this computer, made on first use and renewed before it ends.

    home: folder of the key files, `config_dir()` by default. Two processes that start at once end up with
    one identity. Raises ReenactError when the folder cannot be written or a file in it is damaged.
    """
    folder = home or config_dir()
    path = folder / "signing.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = path.read_bytes() if path.exists() else _create(path, _new_leaf(folder))
        if _ends_soon(data, path):
            data = _replace(path, _new_leaf(folder))
    except OSError as error:
        raise ReenactError(
            f"the signing certificate cannot be kept in {folder} ({error.strerror or error}); "
            "set REENACT_HOME to a folder that can be written, or give --sign-with"
        ) from error
    return _signer(data, path, local=True)


def root_certificate(home: Path | None = None) -> bytes:
    """The local root as PEM, for those who want to trust it in a validator. Made on first use."""
    chain = x509.load_pem_x509_certificates(local_signer(home).chain)
    return _pem(chain[-1])


def known_roots(more: Path | None = None, home: Path | None = None) -> bytes:
    """The certificates whose signers count as known, as PEM without keys: the local root, where there is one,
    and those of a file.

    more: a PEM file with certificates of others. home: as for `local_signer`; nothing is made in it. A local
    root that cannot be read is passed over. Raises ReenactError where `more` cannot be read or holds none.
    """
    found: list[x509.Certificate] = []
    with suppress(OSError, ReenactError):
        root = (home or config_dir()) / "root.pem"
        found += _load_chain(root.read_bytes(), root)
    if more is not None:
        try:
            found += x509.load_pem_x509_certificates(more.read_bytes())
        except OSError as error:
            raise ReenactError(
                f"the certificates {more} cannot be read ({error.strerror or error}); check the path of --trust"
            ) from error
        except ValueError as error:
            raise ReenactError(
                f"{more} has no readable certificate; give the authority's, as PEM, with --trust"
            ) from error
    return b"".join(map(_pem, found))


def load_signer(path: Path) -> Signer:
    """One's own certificate: a PEM file with the leaf, the certificates above it, and the leaf's key.

    Keys on P-256, P-384, P-521, Ed25519 and RSA (2,048 bits and more) sign. Raises ReenactError for a file
    that is missing, not PEM, without key, with a key that has a password or belongs to no certificate in the
    file, for a certificate that has ended, and for one that C2PA does not accept for signing.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReenactError(
            f"the signing certificate {path} cannot be read ({error.strerror or error}); "
            "check the path of --sign-with"
        ) from error
    try:
        signer = _signer(data, path, local=False)
        _check_profile(x509.load_pem_x509_certificates(signer.chain)[0], path)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        # A certificate's parts are read when they are asked for, and each can be damaged.
        reason = str(error) or type(error).__name__
        raise ReenactError(
            f"a certificate in {path} is damaged or of a kind not known here ({reason})"
        ) from error
    return signer


def _signer(data: bytes, path: Path, *, local: bool) -> Signer:
    """Put a PEM bundle in order: the leaf (the certificate of the key) first, then the rest as it stands."""
    key = _load_key(data, path)
    public = _public(key)
    chain = _load_chain(data, path)
    leaf = next((c for c in chain if _public(c) == public), None)
    if leaf is None:
        raise ReenactError(
            f"{path}: the private key belongs to none of the certificates in the file; put its own in"
        )
    ordered = [leaf, *(c for c in chain if c is not leaf)]
    return Signer(_common_name(leaf), _algorithm(key, path), b"".join(map(_pem, ordered)), _key_pem(key), local)


def _load_key(
    data: bytes, path: Path
) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    start = data.find(b"-----BEGIN", 0)
    while start >= 0 and b"PRIVATE KEY" not in data[start : data.find(b"\n", start)]:
        start = data.find(b"-----BEGIN", start + 1)
    if start < 0:
        raise ReenactError(f"{path} has no private key; it must hold the certificate chain and the key, as PEM")
    try:
        key = serialization.load_pem_private_key(data[start:], password=None)
    except TypeError as error:
        raise ReenactError(f"the private key in {path} has a password; give a copy without one") from error
    except Exception as error:
        raise ReenactError(
            f"the private key in {path} cannot be read ({error}); is the PEM file whole?"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ReenactError(
            f"{path}: C2PA signs with EC, RSA or Ed25519 keys only; give a certificate with one of these"
        )
    return key


def _load_chain(data: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ReenactError(
            f"{path} has no readable certificate; it must hold the chain and the key, as PEM"
        ) from error


def _algorithm(key: object, path: Path) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        name = _CURVES.get(key.curve.name)
        if name is None:
            raise ReenactError(
                f"{path}: C2PA has no signature on the curve {key.curve.name}; use P-256, P-384 or P-521"
            )
        return name
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < 2048:
            raise ReenactError(
                f"{path}: an RSA key of {key.key_size} bits is too weak for C2PA; use 2,048 or more"
            )
        return "ps256"
    return "ed25519"


def _check_profile(leaf: x509.Certificate, path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise ReenactError(
            f"the certificate in {path} is valid from {leaf.not_valid_before_utc:%Y-%m-%d} "
            f"to {leaf.not_valid_after_utc:%Y-%m-%d} only; renew it"
        )
    extensions = {e.oid.dotted_string: e.value for e in leaf.extensions}
    usage = extensions.get(x509.KeyUsage.oid.dotted_string)
    extended = extensions.get(x509.ExtendedKeyUsage.oid.dotted_string)
    if not (isinstance(usage, x509.KeyUsage) and usage.digital_signature and not usage.key_cert_sign):
        raise ReenactError(
            f"the certificate in {path} is not one for digital signatures (key usage); ask for such a one"
        )
    if not (
        isinstance(extended, x509.ExtendedKeyUsage) and any(o.dotted_string in _SIGNABLE for o in extended)
    ):
        raise ReenactError(
            f"the certificate in {path} is not one that C2PA accepts (extended key usage: e-mail protection, "
            "document signing or C2PA signing); ask for such a one"
        )
    if x509.AuthorityKeyIdentifier.oid.dotted_string not in extensions:
        raise ReenactError(
            f"the certificate in {path} names no authority key, as C2PA asks (a self-signed one?)"
        )


def _new_leaf(folder: Path) -> bytes:
    """A fresh leaf below the folder's root: PEM of leaf, root and the leaf's key."""
    root_path = folder / "root.pem"
    data = root_path.read_bytes() if root_path.exists() else _create(root_path, _new_root())
    if _ends_soon(data, root_path):
        data = _replace(root_path, _new_root())
    root, root_key = _load_chain(data, root_path)[0], _load_key(data, root_path)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(_days(LEAF_DAYS), root.not_valid_after_utc)
    builder = _builder("reenact on this computer", root.subject, key, end, ca=False)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    issuer = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    leaf = builder.add_extension(authority, critical=False).sign(root_key, hashes.SHA256())
    return _pem(leaf) + _pem(root) + _key_pem(key)


def _new_root() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("reenact local root", None, key, _days(ROOT_DAYS), ca=True)
    return _pem(builder.sign(key, hashes.SHA256())) + _key_pem(key)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, end: dt.datetime, *, ca: bool
) -> x509.CertificateBuilder:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "reenact (local, self-made)")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), organisation])
    usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
    return (
        x509.CertificateBuilder(
            subject_name=subject, issuer_name=issuer or subject, public_key=key.public_key()
        )
        .serial_number(x509.random_serial_number())
        .not_valid_before(_days(-1))  # a day back, so that a clock that runs late still accepts it
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _days(count: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=count)


def _ends_soon(data: bytes, path: Path) -> bool:
    """Whether the first certificate of a bundle ends within RENEW_DAYS."""
    try:
        return _load_chain(data, path)[0].not_valid_after_utc < _days(RENEW_DAYS)
    except ReenactError as error:
        raise ReenactError(f"{path} is damaged; remove it, and a new certificate is made") from error


def _create(path: Path, data: bytes) -> bytes:
    """Write `data` under `path` unless another process was first; returns what stands there."""
    temporary = _temporary(path, data)
    try:
        os.link(temporary, path)  # unlike a rename, a link fails where the file exists: the first one wins
    except FileExistsError:
        return path.read_bytes()
    except OSError:  # a file system without hard links
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return data


def _replace(path: Path, data: bytes) -> bytes:
    _temporary(path, data).replace(path)
    return data


def _temporary(path: Path, data: bytes) -> Path:
    """A whole, flushed file beside `path`, mode 0600."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _public(holder: object) -> bytes:
    """Key bytes of a certificate or private key, to see which belong together."""
    public = holder.public_key()  # type: ignore[attr-defined]
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.DER, form)


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
