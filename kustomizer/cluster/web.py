"""Asks Prometheus and Flower over HTTP; neither an error nor a redirection gives a password away."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from kustomizer.errors import UserError
from kustomizer.record import Record

_SECONDS = 120
_LARGEST = 256 * 1024 * 1024
_SHOWN_WORDS = 300
_DENIED = (401, 403)
_LESS = "Ask for less, as with --window 1d"
# What Prometheus says where a query would take more than --query.max-samples or --query.timeout.
_TOO_MUCH = ("too many samples", "timed out", "timeout")


class Server(Record):
    """A server and what it is asked with."""

    name: str
    """What messages call it."""
    option: str
    """The option that names it."""
    variable: str
    """The environment variable with its credentials."""
    url: str
    authorization: str = ""
    """The header of this name, empty without credentials."""
    ca: Path | None = None

    def get(self, path: str, parameters: Mapping[str, str]) -> Any:
        """Return the JSON at ``path``. Raises UserError in plain words where there is none."""
        request = urllib.request.Request(f"{self.url}{path}?{urlencode(parameters)}")  # noqa: S310 - checked in `server`
        if self.authorization:
            # Unredirected: another server isn't told.
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _SameServer(self))
            with opener.open(request, timeout=_SECONDS) as answer:
                text = answer.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None
        if len(text) > _LARGEST:
            raise self.problem("its answer is too large", _LESS)
        try:
            return json.loads(text)
        except ValueError:
            raise self.problem("it answers, but not in JSON", f"Is {self.option} the URL of {self.name}?") from None

    def problem(self, message: str, remedy: str = "") -> UserError:
        """Return an error that names the server."""
        return UserError.of(f"{self.name} at {self.url}: {message}", remedy=remedy)

    def _refused(self, error: urllib.error.HTTPError) -> UserError:
        try:
            with error:
                words = _words(error.read(_LARGEST))
        except (OSError, HTTPException):
            words = ""
        if error.code in _DENIED:
            wrong = "those" if self.authorization else "none"
            remedy = f"{self.variable} holds its USER:PASSWORD, or a token; it was asked with {wrong}"
            return self.problem(f"it refuses access ({error.code})", remedy)
        too_much = any(sign in words for sign in _TOO_MUCH)
        return self.problem(f"it answers {error.code}{words}", _LESS if too_much else "")

    def _unreachable(self, error: OSError | HTTPException) -> UserError:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            remedy = "Name the certificate of its authority with --ca, or the host that the certificate is for"
            return self.problem(f"its certificate isn't valid here: {reason.verify_message}", remedy)
        if isinstance(reason, ssl.SSLError):
            return self.problem(f"TLS fails: {reason.reason or 'the other side speaks something else'}")
        if isinstance(reason, TimeoutError):
            return self.problem(f"no answer within {_SECONDS} s", _LESS)
        words = getattr(reason, "strerror", None) or type(reason).__name__
        remedy = "From outside of the cluster: kubectl port-forward service/NAME PORT"
        return self.problem(f"it can't be reached: {words}", remedy)


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Follows redirections within a server only."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def redirect_request(  # noqa: PLR0917 - as urllib calls it
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to follow with. Raises UserError where it would leave the server."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            fp.close()
            remedy = f"If that is meant, name it with {self._server.option}"
            raise self._server.problem(f"it redirects to {new.scheme}://{new.hostname}", remedy)
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and self._server.authorization:
            request.add_unredirected_header("Authorization", self._server.authorization)
        return request


def server(url: str, *, name: str, option: str, credentials: tuple[str, str], ca: Path | None = None) -> Server:
    """Return the server at ``url``; ``credentials`` are the environment variable for them, and what it holds.

    Raises UserError where the URL is none, or holds credentials: arguments are seen by everybody on the machine. What
    was given isn't repeated.
    """
    variable, secret = credentials
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if not host or parts.scheme not in ("http", "https"):
        raise UserError.of(f"{option} isn't a URL of http or https", remedy="Like http://127.0.0.1:9090")
    if "@" in parts.netloc or parts.query or parts.fragment:
        remedy = f"Put USER:PASSWORD, or a token, into the environment variable {variable}"
        raise UserError.of(f"{option} takes neither a user nor what follows a ? or #", remedy=remedy)
    shown = f"[{host}]" if ":" in host else quote(host, safe=".-_~")
    netloc = shown if port is None else f"{shown}:{port}"
    plain = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    authorization = _authorization(variable, secret)
    return Server(name=name, option=option, variable=variable, url=plain, authorization=authorization, ca=ca)


def _authorization(variable: str, secret: str) -> str:
    """Return the header for ``user:password``, or for a token, which has no colon (RFC 6750, 2.1)."""
    if ":" in secret:
        return f"Basic {base64.b64encode(secret.encode()).decode()}"
    if secret and not (secret.isascii() and secret.isprintable() and " " not in secret):
        remedy = "It is USER:PASSWORD, or a token of letters, digits and signs"
        raise UserError.of(f"{variable} holds neither", remedy=remedy)
    return f"Bearer {secret}" if secret else ""


def _words(body: bytes) -> str:
    """Return what a server's error says, where it says so in JSON."""
    try:
        tree = json.loads(body)
    except ValueError:
        return ""
    words = tree.get("error") if isinstance(tree, dict) else None
    return f": {words[:_SHOWN_WORDS]}" if isinstance(words, str) else ""
