"""The frame of a self-contained HTML page: a policy against scripts and requests, themes, switches."""

import html
from collections.abc import Sequence

# No script runs and nothing is fetched, whatever is in the tasks or answers.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

PAGE_STYLE = """
:root{color-scheme:light dark;--page:light-dark(#f5f5f2,#121316);--card:light-dark(#fff,#1b1d21);
--text:light-dark(#1b1c1e,#e9e9e6);--muted:light-dark(#62666d,#9ba1a9);--line:light-dark(#deded9,#30343a);
--accent:light-dark(#1f5fbf,#7fb2ff);--good:light-dark(#13693c,#5fd394);--bad:light-dark(#a62c22,#ff9385);
--half:light-dark(#8a5a00,#e8b552)}
:root:has(#theme-light:checked){color-scheme:light}:root:has(#theme-dark:checked){color-scheme:dark}
*{box-sizing:border-box}
html{scroll-padding-top:3.6rem}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.45 system-ui,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:break-word}
header,main,nav,footer{max-width:1440px;margin:0 auto;padding:0 1.5rem}
h1{font-size:1.6rem;line-height:1.2;margin:1.6rem 0 .3rem;letter-spacing:-.01em;overflow-wrap:anywhere}
p.note{margin:.2rem 0;color:var(--muted)}
a{color:var(--accent)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem;z-index:9}
.bar{position:sticky;top:0;z-index:2;margin-top:1rem;background:var(--page);
border-bottom:1px solid var(--line)}
.bar>div{max-width:1440px;margin:0 auto;padding:.5rem 1.5rem;display:flex;flex-wrap:wrap;gap:.4rem 1.2rem}
fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.25rem;align-items:center;min-width:0}
fieldset>span{color:var(--muted);font-size:.8rem;margin-right:.15rem}
fieldset input{position:absolute;opacity:0;pointer-events:none}
fieldset label{display:inline-flex;gap:.4rem;border:1px solid var(--line);border-radius:99px;
padding:.1rem .65rem;background:var(--card);font-size:.85rem;cursor:pointer;position:relative}
fieldset label b{font-weight:600;color:var(--muted)}
fieldset label:has(:checked){background:var(--accent);border-color:var(--accent);color:var(--page)}
fieldset label:has(:checked) b{color:inherit}
fieldset label:has(:focus-visible){outline:2px solid var(--accent);outline-offset:2px}
fieldset label:has(:disabled){opacity:.45;cursor:default}
@media (max-width:900px){.bar{position:static}html{scroll-padding-top:.5rem}}
@media (max-width:600px){header,main,nav,footer,.bar>div{padding-left:.75rem;padding-right:.75rem}}
@media print{.bar,.skip{display:none}body{background:#fff}}
"""


def document(title: str, body: str, style: str = "") -> str:
    """A whole HTML page; `title` is plain text, `body` and `style` are trusted markup."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        # An empty icon keeps a browser from asking a server for one.
        f'<link rel="icon" href="data:,">\n<title>{html.escape(title)}</title>\n'
        f"<style>{PAGE_STYLE}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def radios(name: str, legend: str, options: Sequence[tuple[str, str, int | None]]) -> str:
    """Radio buttons, the first one checked: options are (value, label, count or None for no badge).

    Their ids are `name-value`; an option with count zero is disabled.
    """
    labels = []
    for place, (value, label, count) in enumerate(options):
        badge = "" if count is None else f" <b>{count}</b>"
        state = " checked" if place == 0 else " disabled" if count == 0 else ""
        labels.append(
            f'<label><input type="radio" name="{name}" id="{name}-{value}"{state}>{label}{badge}</label>'
        )
    return (
        f'<fieldset role="radiogroup" aria-label="{legend}"><span>{legend}</span>{"".join(labels)}</fieldset>'
    )


def checkboxes(legend: str, options: Sequence[tuple[str, str, bool]]) -> str:
    """Checkboxes: options are (id, label, checked)."""
    labels = "".join(
        f'<label><input type="checkbox" id="{name}"{" checked" if on else ""}>{label}</label>'
        for name, label, on in options
    )
    return f'<fieldset aria-label="{legend}"><span>{legend}</span>{labels}</fieldset>'


def theme_switch() -> str:
    """The choice of the light or dark theme; by default the reader's system decides."""
    return radios(
        "theme", "theme", [("auto", "auto", None), ("light", "light", None), ("dark", "dark", None)]
    )
