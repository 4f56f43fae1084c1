"""The page of a docstring as HTML: paragraphs, formulas and lists as they stand, `code` as code."""

import html
import re
from itertools import groupby

CODE = re.compile(r"``(.+?)``|`([^`]+)`")


def as_html(text: str) -> str:
    """A docstring as HTML; indented lines keep their form.

    >>> as_html("The `mean` ::" + chr(10) * 2 + "    m = Σ x / N" + chr(10) * 2 + "of all x.")
    '<p>The <code>mean</code>:</p><pre>m = Σ x / N</pre><p>of all x.</p>'
    """
    parts, lines = [], text.splitlines()
    for kind, group in groupby(lines, _kind):
        block = list(group)
        if kind == "text":
            parts.append(f"<p>{_inline(' '.join(line.strip() for line in block))}</p>")
        elif kind == "indented":
            if parts and parts[-1].startswith("<pre>"):  # after an empty line
                before = parts.pop().removeprefix("<pre>").removesuffix("</pre>")
                parts.append(f"<pre>{before}\n\n{_block(block)}</pre>")
            else:
                parts.append(f"<pre>{_block(block)}</pre>")
    return "".join(parts)


def _kind(line: str) -> str:
    return "indented" if line[:1].isspace() and line.strip() else "text" if line else "empty"


def _block(lines: list[str]) -> str:
    depth = min(len(line) - len(line.lstrip()) for line in lines)
    return html.escape("\n".join(line[depth:].rstrip() for line in lines))


def _inline(text: str) -> str:
    text = re.sub(r" ?::$", ":", text)
    return CODE.sub(lambda m: f"<code>{m[1] or m[2]}</code>", html.escape(text))
