from __future__ import annotations

import base64
import datetime as dt
import multiprocessing
import stat
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from trust_samples import own_certificate

from reenact.errors import ReenactError
from reenact.trust import certificate, known_roots, load_signer, local_signer, root_certificate
from reenact.trust.certificate import config_dir


def test_the_identity_is_made_once_and_is_private(tmp_path: Path) -> None:
    first, second = local_signer(tmp_path), local_signer(tmp_path)
    assert first == second and first.algorithm == "es256" and first.local
    for name in ("signing.pem", "root.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["root.pem", "signing.pem"]
    assert "PRIVATE" not in repr(first)


def test_the_leaf_fits_the_profile_and_the_root_signed_it(tmp_path: Path) -> None:
    leaf, root = x509.load_pem_x509_certificates(local_signer(tmp_path).chain)
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    assert (
        ExtendedKeyUsageOID.EMAIL_PROTECTION
        in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    )
    authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    subject = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert authority.key_identifier == subject.digest
    assert x509.load_pem_x509_certificate(root_certificate(tmp_path)) == root


def _make(home: Path, results: multiprocessing.Queue) -> None:
    results.put(local_signer(home).chain)


def test_processes_that_start_at_once_share_one_identity(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=_make, args=(tmp_path / "home", results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    chains = {results.get(timeout=120) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(chains) == 1


def test_an_ending_leaf_is_renewed_below_the_same_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "LEAF_DAYS", 5)
    old = x509.load_pem_x509_certificates(local_signer(tmp_path).chain)
    monkeypatch.undo()
    new = x509.load_pem_x509_certificates(local_signer(tmp_path).chain)
    assert new[0].not_valid_after_utc > old[0].not_valid_after_utc and new[1] == old[1]


def test_a_damaged_identity_is_named(tmp_path: Path) -> None:
    local_signer(tmp_path)
    (tmp_path / "signing.pem").write_text("gone")
    with pytest.raises(ReenactError, match=r"signing\.pem is damaged; remove it"):
        local_signer(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReenactError, match="REENACT_HOME"):
        local_signer(tmp_path / "file")


def test_known_roots(tmp_path: Path) -> None:
    assert known_roots(home=tmp_path / "home") == b"" and not (tmp_path / "home").exists()
    own = root_certificate(tmp_path / "home")
    _, authority = own_certificate(tmp_path)
    assert known_roots(home=tmp_path / "home") == own  # without the key beside it
    assert known_roots(authority, tmp_path / "home") == own + authority.read_bytes()
    (tmp_path / "home" / "root.pem").write_text("damaged")
    assert known_roots(authority, tmp_path / "home") == authority.read_bytes()
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ReenactError, match=r"empty\.pem has no readable certificate"):
        known_roots(tmp_path / "empty.pem", tmp_path / "home")


def test_config_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("REENACT_HOME", raising=False)
    assert config_dir() == tmp_path / "reenact"
    monkeypatch.setenv("REENACT_HOME", str(tmp_path / "own"))
    assert config_dir() == tmp_path / "own"


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def _certificate(key: Key, *, days: int = 30, extended: x509.ObjectIdentifier | None = None) -> bytes:
    """A certificate for a key, issued by an authority made for it."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "Ada"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A")]
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    eku = x509.ExtendedKeyUsage([extended or ExtendedKeyUsageOID.EMAIL_PROTECTION])
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=60)).not_valid_after(
        now + dt.timedelta(days=days)
    )
    builder = builder.add_extension(usage, True).add_extension(eku, False).add_extension(aki, False)
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: Key, password: bytes | None = None) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
    ],
)
def test_own_certificates_of_each_kind(tmp_path: Path, key: Key, algorithm: str) -> None:
    path = tmp_path / "own.pem"
    path.write_bytes(_pem(key) + _certificate(key))
    signer = load_signer(path)
    assert (signer.algorithm, signer.name, signer.local) == (algorithm, "Ada", False)


def test_own_certificates_that_cannot_sign(tmp_path: Path) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    good, path = _certificate(key), tmp_path / "own.pem"
    cases = {
        "has no private key": good,
        "has no readable certificate": _pem(key),
        "belongs to none": good + _pem(other),
        "has a password": good + _pem(key, b"secret"),
        "cannot be read": good + _pem(key)[:80] + b"\n-----END PRIVATE KEY-----\n",
        "renew it": _certificate(key, days=-1) + _pem(key),
        "not one that C2PA accepts": _certificate(key, extended=ExtendedKeyUsageOID.SERVER_AUTH) + _pem(key),
    }
    for message, data in cases.items():
        path.write_bytes(data)
        with pytest.raises(ReenactError, match=message):
            load_signer(path)
    with pytest.raises(ReenactError, match="check the path of --sign-with"):
        load_signer(tmp_path / "none.pem")


def test_damaged_certificates_are_one_line(tmp_path: Path) -> None:
    """The parts of a certificate are decoded late: damage inside it shows only when they are asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    good, path, random = _certificate(key), tmp_path / "own.pem", Random(5)
    inside = base64.b64decode(b"".join(good.splitlines()[1:-1]))
    for _ in range(400):
        data = bytearray(inside)
        data[random.randrange(len(data))] = random.randrange(256)
        text = base64.encodebytes(bytes(data))
        path.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n" + _pem(key))
        try:
            load_signer(path)
        except ReenactError as error:
            assert "\n" not in str(error)
