"""The frame of the HTML report: its style, its script, and the policy that allows no others."""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path

from kustomizer import DIRECTORY

_STYLE_FILE = f"{DIRECTORY}/data/diff-report.css"
_SCRIPT_FILE = f"{DIRECTORY}/data/diff-report.js"


def page(title: str, body: str) -> str:
    """Return a document that loads nothing, a newline at its end. ``title`` is text, ``body`` HTML.

    The policy (https://www.w3.org/TR/CSP3/) lets a browser apply this style and run this script by their hashes, and
    nothing else, whatever gets into the body.
    """
    style, script = ("\n" + Path(file).read_text(encoding="utf-8") for file in (_STYLE_FILE, _SCRIPT_FILE))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
