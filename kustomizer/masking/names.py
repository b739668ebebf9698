"""Tells the names of secrets from others: of settings, variables, options, keys of files.

Wider than :mod:`kustomizer.masking.detection`, which tells a reader what to mend and so must be right. Masking a
harmless value costs a reader little; a secret that isn't masked has leaked.
"""

from __future__ import annotations

import functools
import re

_WORDS = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "apikey", "accesskey", "secretkey"),
    *("privatekey", "masterkey", "signingkey", "encryptionkey", "licensekey", "fernetkey", "requirepass", "masterauth"),
    *("basicauth", "erlangcookie", "jwk", "credential", "presharedkey", "clientkey", "authtok", "bindpw"),
)
_LAST = frozenset({"pass", "pw", "salt", "dsn", "pepper", "otp", "cred", "psk"})
_KEYS = frozenset(
    {
        *("api", "access", "secret", "master", "private", "signing", "sign", "encryption", "encrypt", "license"),
        *("fernet", "shared", "jwt", "hmac", "account", "storage", "server", "aes", "hash", "cipher", "ssh", "rsa"),
        *(
            "preshared",
            "client",
            "app",
            "auth",
            "session",
            "crypto",
            "deploy",
            "webhook",
            "recovery",
            "unseal",
            "write",
        ),
    }
)
# What may follow the word: OAUTH2_SECRET_SSO_DEV, PASSWORD_HASH, password_sha256_hex, TOKEN2.
_FOLLOWING = frozenset(
    {
        *("sso", "dev", "prod", "production", "staging", "test", "old", "new", "previous", "current", "primary"),
        *("secondary", "hash", "hashed", "sha", "sha256", "sha512", "sha1", "md5", "double", "hex", "b64", "base64"),
        *("value", "base", "default", "lms", "cms", "ro", "rw", "root", "admin", "encrypted", "plain", "plaintext"),
        *("string", "data"),
    }
)
# Below these each secret stands under the name of whose it is; credentials may have other things beside them.
_BY_OWNER = ("passwords", "tokens")
_MIXED = ("credentials", "creds")
_BESIDE_SECRETS = frozenset(
    {
        *("user", "username", "login", "name", "namespace", "key", "kind", "type", "source", "provider", "role", "id"),
        *(
            "url",
            "uri",
            "host",
            "hostname",
            "port",
            "path",
            "file",
            "region",
            "email",
            "database",
            "enabled",
            "optional",
        ),
    }
)
# REDISCLI_AUTH is a password; JWT_AUTH and THIRD_PARTY_AUTH are settings of many kinds. NEO4J is two words here.
_WITH_PASSWORD = frozenset(
    {
        *("redis", "rediscli", "broker", "flower", "http", "https", "proxy", "smtp", "mail", "ldap", "mongo", "mqtt"),
        *("registry", "docker", "npm", "git", "elastic", "elasticsearch", "nats", "influx", "couchdb", "j"),
    }
)
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


@functools.lru_cache(maxsize=20_000)
def is_secret(name: str) -> bool:
    """Tell whether a value of this name is a password, a token or a key, or reveals one."""
    if name == "_auth":
        # npm's user:password in base64.
        return True
    parts = [part.lower() for part in _BOUNDARY.split(name) if part]
    while len(parts) > 1 and (parts[-1] in _FOLLOWING or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return False
    last = parts[-1].rstrip("0123456789")
    return any(_is_secret(parts, word) for word in (last, last.removesuffix("s")))


def is_noun(name: str) -> bool:
    """Tell whether the name is also a word of plain text: ``credentials of the site`` assigns no value."""
    return name.lower().endswith(("credential", *_MIXED))


@functools.lru_cache(maxsize=20_000)
def is_secret_below(collection: str, name: str) -> bool:
    """Tell whether an entry is secret because of its mapping's name, ``passwords`` for example."""
    small = collection.lower()
    return small.endswith(_BY_OWNER) or (small.endswith(_MIXED) and name.lower() not in _BESIDE_SECRETS)


def _is_secret(parts: list[str], last: str) -> bool:
    if last in _LAST or last.endswith(_WORDS):
        return True
    before = parts[-2] if len(parts) > 1 else ""
    if last == "auth" and before in _WITH_PASSWORD:
        return True
    return (last == "key" and before in _KEYS) or (before + last).endswith(("basicauth", "erlangcookie", "authpass"))
