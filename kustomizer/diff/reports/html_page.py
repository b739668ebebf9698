"""The frame of the HTML report: its style, its few lines of script, and a policy that allows just these."""

from __future__ import annotations

import base64
import hashlib
import html

_STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --dim: #59636e; --page: #fff; --box: #f6f8fa; --line: #d1d9e0;
  --add: #116329; --add-back: #dafbe1; --gone: #82071e; --gone-back: #ffebe9; --place: #0550ae; --place-back: #ddf4ff;
  --warn: #7d4e00; --warn-back: #fff8c5; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9198a1; --page: #0d1117; --box: #161b22;
  --line: #3d444d; --add: #7ee787; --add-back: #12361f; --gone: #ffa198; --gone-back: #471c1f; --place: #a5d6ff;
  --place-back: #13233a; --warn: #f2cc60; --warn-back: #3a2d0c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
p, ul { margin: .25rem 0; }
ul { padding-left: 1.25rem; }
code, pre, .path { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875rem; }
code, .path, td { overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.label { display: inline-block; padding: 0 .5rem; border-radius: 1rem; font-size: .8125rem; font-weight: 600;
  white-space: nowrap; background: var(--box); color: var(--dim); border: 1px solid var(--line); }
.add, .new { background: var(--add-back); color: var(--add); }
.destroy, .replace, .gone, .error { background: var(--gone-back); color: var(--gone); }
.change, .warning { background: var(--warn-back); color: var(--warn); }
.place, .info { background: var(--place-back); color: var(--place); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; padding: 0; list-style: none; }
.finding { border: 1px solid var(--line); border-left-width: .3rem; border-radius: .375rem; padding: .6rem .9rem;
  margin: .6rem 0; }
.finding.error, .finding.warning, .finding.info { background: none; color: inherit; }
.finding.error { border-left-color: var(--gone); }
.finding.warning { border-left-color: var(--warn); }
.finding.info { border-left-color: var(--place); }
details { border: 1px solid var(--line); border-radius: .375rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .45rem .9rem; background: var(--box); border-radius: .375rem;
  overflow-wrap: anywhere; }
details > div { padding: .3rem .9rem .75rem; }
.path { margin: .75rem 0 .2rem; font-weight: 600; }
pre { margin: .2rem 0; overflow-x: auto; border: 1px solid var(--line); border-radius: .375rem; line-height: 1.45; }
pre span { display: block; padding: 0 .6rem; min-height: 1.45em; width: max-content; min-width: 100%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-size: .8125rem; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; }
.tools[hidden], [hidden] { display: none; }
input, button { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line);
  border-radius: .375rem; padding: .35rem .7rem; }
input { flex: 1 1 12rem; min-width: 0; }
button { cursor: pointer; }
@media (max-width: 40rem) {
  body { padding: .9rem; }
  .queues thead { display: none; }
  .queues tr { display: block; border: 1px solid var(--line); border-radius: .375rem; margin: .5rem 0; }
  .queues td { display: block; border: 0; padding: .15rem .6rem; }
  .queues td:empty { display: none; }
  .queues td[data-name]::before { content: attr(data-name) ": "; color: var(--dim); }
}
@media print {
  body { max-width: none; padding: 0; font-size: .8rem; }
  .tools { display: none; }
  pre span { white-space: pre-wrap; overflow-wrap: anywhere; width: auto; }
  .finding, summary, tr { break-inside: avoid; }
  .label, pre span, summary { print-color-adjust: exact; }
}
"""

_SCRIPT = """
const objects = [...document.querySelectorAll("#objects > details")];
const tools = document.querySelector(".tools");
if (tools) {
  const [box, button] = tools.children;
  const none = document.querySelector("#none");
  const texts = objects.map((each) => each.textContent.toLowerCase());
  tools.hidden = false;
  box.addEventListener("input", () => {
    const wanted = box.value.toLowerCase().trim();
    objects.forEach((each, number) => { each.hidden = !texts[number].includes(wanted); });
    none.hidden = objects.some((each) => !each.hidden);
  });
  button.addEventListener("click", () => {
    const open = objects.some((each) => !each.open);
    objects.forEach((each) => { each.open = open; });
  });
}
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
});
"""


def page(title: str, body: str) -> str:
    """Return a document that loads nothing, a newline at its end. ``title`` is text, ``body`` HTML.

    The policy (https://www.w3.org/TR/CSP3/) lets a browser apply this style and run this script by their hashes, and
    nothing else, whatever gets into the body.
    """
    policy = (
        f"default-src 'none'; style-src '{_hash(_STYLE)}'; script-src '{_hash(_SCRIPT)}'; "
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
<style>{_STYLE}</style>
</head>
<body>
{body}
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
