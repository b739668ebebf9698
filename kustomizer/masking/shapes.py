"""Finds the secrets in a text that say by their shape what they are: keys, hashes, tokens, passwords of URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kustomizer.masking.brackets import Span

# What a shell prints into a pipe: quoted, or a word that is no variable.
_PRINTED = (
    r"""\b(?:echo|printf)[ \t]+(?:-[neE]+[ \t]+)?(?:["']?%s(?:\\n)?["']?[ \t]+)?"""
    r"""(?:"([^"\n$`][^"\n]*)"|'([^'\n]+)'|([^\s"'|`$][^\s"'|`]*))[ \t]*\|(?:[^\n|]|\\\n|\|[ \t]*tee\b){0,300}?"""
)

# Each with the words of which a text has to hold one: the patterns are looked for where they may be found.
_SHAPES: Sequence[tuple[Sequence[str], str]] = (
    (
        ("PRIVATE KEY",),
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----"
        r"(?:.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----|.*)",
    ),
    # The private numbers of a JSON Web Key (RFC 7518, 6.2.2 and 6.3.2).
    (("kty",), r"""(?<!\\)\\*["'](?:d|p|q|dp|dq|qi|k)\\*["']\s*:\s*\\*["']([A-Za-z0-9_+/=-]{16,})"""),
    # Hashes of passwords: bcrypt, crypt(3), Apache's, Django's.
    (("$2",), r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{20,}"),
    (("$",), r"\$(?:1|5|6|y|gy|apr1|argon2[a-z]*|scrypt)\$[^\s\"':]{8,}"),
    (("pbkdf2", "bcrypt", "argon2", "scrypt"), r"(?:pbkdf2|bcrypt|argon2|scrypt)_?[a-z0-9_]{0,40}\$[^\s\"']{8,}"),
    (("{SHA", "{SSHA"), r"\{S?SHA[0-9]*\}[A-Za-z0-9+/=]{8,}"),
    # Tokens that say what they are, as those who hand them out want it.
    (
        ("gh", "glpat-", "xox", "_live_", "sk-", "npm_", "pypi-", "dckr_pat_"),
        r"(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk_live_|rk_live_|sk-|npm_|pypi-|dckr_pat_)"
        r"[A-Za-z0-9_-]{16,}",
    ),
    (("hooks.slack.com",), r"hooks\.slack\.com/services/([A-Za-z0-9/_-]+)"),
    (("eyJ",), r"eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    (("Basic",), r"Basic\s+([A-Za-z0-9+/_-]{4,}={1,2}|(?=[A-Za-z0-9+/_-]*[0-9+/])[A-Za-z0-9+/_-]{8,})"),
    (("earer",), r"[Bb]earer\s+((?=[A-Za-z0-9+/=._~-]*[0-9])[A-Za-z0-9+/=._~-]{8,})"),
    # URLs: a password may hold an @, and a token may stand in the place of user and password.
    (
        (":/", ":\\/"),
        r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*:\\?/\\?/[^\s/:@"'<>]*:([^\s/"']+)@""",
    ),
    (("://",), r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9_.~%-]{16,})@"""),
    # Signatures that give access to whoever has the URL: Azure's, Amazon's.
    (("ig=", "ignature="), r"[?&](?:sig|[A-Za-z-]*[Ss]ignature)=([^&\s\"'<>]{8,})"),
    (
        ("uthorization",),
        r"""uthorization\\*["']?\s*[:=,]\s*[frbu]?\\*["']?(?:[Tt]oken|[Aa]pi-?[Kk]ey)\s+([^\s"'\\{}$<>]{6,})"""
        r"""|uthorization[ \t]+["']?(?:[A-Za-z]+[ \t]+)?(?P<value>(?=[^\s;]*[0-9])[^\s"'\\{}$<>;]{12,})""",
    ),
    (("X-", "x-"), r"(?i)(?<![a-z-])x-[a-z-]{0,40}(?:key|token|secret|password)[ \t]*:[ \t]*([^\s\"'\\]{6,})"),
    # Docker's configuration: the base64 of user:password.
    (('auth"',), r"""["']auth\\*["']\s*:\s*\\*["']([A-Za-z0-9+/=_-]{12,})"""),
    # Directives: HAProxy's users and statistics, Sentinel's, Caddy's for providers of DNS and of certificates.
    (("password",), r"\buser[ \t]+\S+[ \t]+(?:insecure-)?password[ \t]+([^\s\"']+)"),
    (("stats",), r"(?m)^[ \t]*stats[ \t]+auth[ \t]+[^\s:]+:(\S+)"),
    (("auth-pass",), r"\bauth-pass[ \t]+\S+[ \t]+(\S+)"),
    (("dns ",), r"(?m)^[ \t]*(?:acme_)?dns[ \t]+[a-z0-9_]+[ \t]+((?=\S*[0-9])[^\s{}]{12,})"),
    (("eab ",), r"(?m)^[ \t]*eab[ \t]+\S+[ \t]+([^\s{}]+)"),
    # .netrc on one line, and .pgpass.
    (("login",), r"\blogin\s+\S+\s+password\s+(\S+)"),
    ((":",), r"(?m)^[^\s:#/]+:(?:[0-9]{2,5}|\*):[^\s:]+:[^\s:]+:(\S+)$"),
    # A password that a program reads from a pipe: docker's, podman's and helm's login, gpg, sudo, passwd, chpasswd.
    (
        ("-stdin", "passphrase-fd", "passwd", "sudo"),
        rf"{_PRINTED}(?:--(?:password|pass|passwd)?-?stdin\b|--passphrase-fd\b|\bchpasswd\b|\bsudo[ \t]+-S\b)",
    ),
    (("-stdin",), r"""--password-stdin\b[^\n;|<]{0,200}<<<[ \t]*["']?([^\s"'$`;]+)"""),
    # Exim's client: `client_send = : user : password`, and `^user^password` as the protocol has it.
    (("client_send",), r"(?m)\bclient_send[ \t]*=[^\n]{0,300}[:;^][ \t]*([^\s:;^\"']+)[\"']?[ \t]*$"),
    # SQL's table engines: MySQL('host', 'database', 'table', 'user', 'password').
    (
        ("MySQL(", "PostgreSQL(", "mysql(", "postgresql(", "MongoDB(", "mongodb("),
        r"(?i)(?:mysql|postgresql|mongodb)\(\s*(?:'[^']*'\s*,\s*){4}'([^']*)'",
    ),
)
_PATTERNS = tuple((signs, re.compile(pattern)) for signs, pattern in _SHAPES)


def values(text: str) -> Iterator[Span]:
    """Yield the spans of secrets that are known by their shape."""
    for signs, pattern in _PATTERNS:
        # Not any(), which doubles the time of a short text: each string of a build is one.
        for sign in signs:
            if sign in text:
                for match in pattern.finditer(text):
                    yield match.span(match.lastindex or 0)
                break
