"""Texts that a careless program would obey: as a path, as markup, as an option or as orders to a terminal."""

import itertools
import random

PATHS = (
    *(".", "..", "../../x", "../" * 20 + "etc/passwd", "/etc/passwd", "~/x", "a/../../b", "x/", "//x", "./x"),
    *("C:\\x", "\\\\host\\x", "..\\..\\x", "%2e%2e%2fx", "..%c0%afx", "con", "aux.txt", "x.json/../../y"),
    *(
        "-rf",
        "--help",
        "--out=../x",
        "|touch x",
        ";touch x",
        "$(touch x)",
        "`touch x`",
        "&& touch x",
        "*",
        "?",
    ),
)
TEXTS = (
    *(
        "%s%n",
        "{0}",
        "{}",
        "\\u001b[31m",
        "\\x1b",
        "\\",
        '"',
        "'",
        "null",
        "true",
        "0",
        "-1",
        "1e9",
        " ",
        "  x",
    ),
    *("__proto__", "train", "test", "attempt_1", "__metadata__", "source", "nan", "error: ", "warning: x"),
    *(
        "\u202egnp.exe",
        "\u2066x",
        "\u200b",
        "\ufeffx",
        "a\u2028b",
        "\u2029",
        "\u00ad",
        "\U000e0001",
        "\ufff9",
    ),
    *("e\u0301" * 40, "\U0001f469\u200d\U0001f469", "\ufffe", "\U0010ffff", "x" * 128, "é" * 128),
)
# What no id may be: control characters, lone surrogates, nothing, more than 128 characters.
FORBIDDEN = (
    *(
        "",
        "\x00",
        "\x1b[31m",
        "\x1b]0;title\x07",
        "\r",
        "\n",
        "\t",
        "\b\b",
        "\x7f",
        "\x9b31m",
        "\x85",
        "a\x0bb",
    ),
    *("\ud800", "x\udfff", "\udc80y", "x" * 129, "x" * 4096, "é" * 4096, "<b>" * 1366, "../" * 1366),
)
_VECTORS = (
    *(
        "<script>alert(1)</script>",
        "</script><script>x",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
    ),
    *(
        "</style><style>*{}",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&lt;script&gt;",
        "&#60;b&#62;",
        "&amp",
        "<?php",
    ),
    *(
        "<iframe src=//x>",
        "<base href=//x>",
        "<meta http-equiv=refresh content=0>",
        "</title><b>",
        "<b",
        "</a>",
    ),
    *(
        "<a href=javascript:alert(1)>",
        "javascript:alert(1)",
        "{{7*7}}",
        "</article></main>",
        "<plaintext>",
        "`",
    ),
)
# Each as it is and after what ends a text, an attribute in either quotes, and a tag.
MARKUP = tuple(ending + vector for ending in ("", '"> ', "' x=", "</pre>") for vector in _VECTORS)


def is_id(text: str) -> bool:
    """Whether a text may be an id: 1 to 128 characters, none of them control or half a character."""
    return 1 <= len(text) <= 128 and not any(
        ord(each) < 32 or 127 <= ord(each) < 160 or 0xD800 <= ord(each) <= 0xDFFF for each in text
    )


def hostile_ids(num: int, seed: int) -> list[str]:
    """`num` distinct texts, ids or not: first each piece in turn from every list, then pieces together."""
    lists = (PATHS, MARKUP, FORBIDDEN, TEXTS)
    singles = [each for row in itertools.zip_longest(*lists) for each in row if each is not None]
    found = dict.fromkeys(singles)
    rng = random.Random(seed)
    while len(found) < num:
        pieces = [rng.choice(rng.choice(lists)) for _ in range(rng.randint(2, 3))]
        found["".join(pieces)[: rng.choice([128, 5000])]] = None
    return list(found)[:num]
