"""Secrets at rest, in the format of Pulumi's passphrase provider: PBKDF2 and AES-256-GCM.

The format (`v1:<salt>:v1:<nonce>:<ciphertext>`, a million rounds, the check word `pulumi`) is that
of sdk/go/common/resource/config/crypt.go and pkg/secrets/passphrase of pulumi/pulumi.
"""

import base64
import contextlib
import functools
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.stack import EngineError

_ROUNDS = 1_000_000
_CHECK = "pulumi"


@functools.cache
def _key(passphrase: str, salt: bytes) -> bytes:
    """Derive the key; it takes a few tenths of a second, so once a process is enough."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, 32)


class Crypter:
    """Encrypts and decrypts texts; the key is derived when it is first needed."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        self._passphrase = passphrase
        self._given = salt
        self._ciphertexts: dict[str, str] = {}

    @property
    def used(self) -> bool:
        """Whether anything is encrypted yet; until then no salt is needed."""
        return bool(self._given or self._ciphertexts)

    @functools.cached_property
    def salt(self) -> str:
        """The salt with its check word, as `encryptionsalt` and the checkpoint hold it."""
        if self._given:
            return self._given
        raw = os.urandom(8)
        sealed = _seal(_key(self._passphrase, raw), _CHECK)
        return f"v1:{base64.b64encode(raw).decode()}:{sealed}"

    @functools.cached_property
    def _secret_key(self) -> bytes:
        version, raw, sealed = [*self.salt.split(":", 2), "", ""][:3]
        if version != "v1" or not sealed:
            raise EngineError(f"unknown form of encryption salt: it begins {self.salt[:4]!r}")
        key = _key(self._passphrase, base64.b64decode(raw))
        if _open(key, sealed) != _CHECK:
            raise EngineError(
                "the passphrase does not fit this stack's secrets: set PULUMI_CONFIG_PASSPHRASE "
                "to the one that they were encrypted with"
            )
        return key

    def for_salt(self, salt: str) -> "Crypter":
        """Return the crypter for what a salt encrypted; the first salt seen becomes one's own."""
        if not self.used:
            self._given = salt
        return self if salt == self._given else Crypter(self._passphrase, salt)

    def encrypt(self, text: str) -> str:
        """Encrypt a text; the same text gives the same result within one process."""
        if text not in self._ciphertexts:
            self._ciphertexts[text] = _seal(self._secret_key, text)
        return self._ciphertexts[text]

    def decrypt(self, ciphertext: str) -> str:
        """Decrypt what `encrypt` or Pulumi gave."""
        text = _open(self._secret_key, ciphertext)
        if text is None:
            raise EngineError("a secret cannot be decrypted: it was damaged or is another stack's")
        self._ciphertexts[text] = ciphertext
        return text


def _seal(key: bytes, text: str) -> str:
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"


def _open(key: bytes, ciphertext: str) -> str | None:
    try:
        version, nonce, sealed = ciphertext.split(":")
        if version != "v1":
            return None
        opened = AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
    except (ValueError, InvalidTag):
        return None
    return opened.decode()


def passphrase(home: Path) -> str:
    """Return `PULUMI_CONFIG_PASSPHRASE`, or the sandbox's own, made when first asked for."""
    if given := os.environ.get("PULUMI_CONFIG_PASSPHRASE"):
        return given
    file = home / "passphrase"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f"passphrase.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(base64.b64encode(os.urandom(24)).decode())
        # The first of two processes wins, and both read the same file.
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_text().strip()
