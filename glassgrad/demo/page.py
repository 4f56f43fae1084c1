"""The demo's page: one HTML file with everything inside, readable without a network."""

import base64
import html
import io
import json
import platform
from dataclasses import dataclass, field
from importlib import resources
from string import Template

import numpy as np


@dataclass
class Chapter:
    """One system on the page. Text may hold HTML; everything else is escaped."""

    key: str
    title: str
    lecture: str
    formula: str  # HTML
    text: str  # HTML
    facts: list[tuple[str, str]]  # (what, how much)
    figures: list[tuple[str, object]]  # (caption, matplotlib figure)
    kernels: list[str] = field(default_factory=list)  # the kernels that ran
    live: dict | None = None  # weights of the decoder that runs in the page


def svg(figure) -> str:
    """A figure as an image element with its SVG inside."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _image("svg+xml", buffer.getvalue())


def png(figure) -> str:
    """A figure as an image element with its PNG inside: for pictures made of pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, transparent=True)
    return _image("png", buffer.getvalue())


def _image(kind: str, data: bytes) -> str:
    return f'<img alt="" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def _element(figure) -> str:
    pixels = any(ax.images for ax in figure.axes)
    return png(figure) if pixels else svg(figure)


def _section(number: int, c: Chapter) -> str:
    facts = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in c.facts
    )
    figures = "".join(
        f"<figure>{_element(figure)}<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, figure in c.figures
    )
    ran = ", ".join(f"<code>{html.escape(k)}</code>" for k in c.kernels)
    live = _live(c.live) if c.live else ""
    return f"""
<section id="{c.key}">
  <header><span class="number">{number}</span><div><h2>{html.escape(c.title)}</h2>
  <p class="lecture">{html.escape(c.lecture)}</p></div></header>
  <div class="prose"><p class="formula">{c.formula}</p>{c.text}</div>
  <dl class="facts">{facts}</dl>
  {live}
  <div class="figures">{figures}</div>
  <p class="kernels">kernels that ran: {ran}</p>
</section>"""


def _live(decoder: dict) -> str:
    """A canvas that decodes the point under the pointer, with the trained weights."""
    layers = [
        {"w": np.round(w, 4).tolist(), "b": np.round(b, 4).tolist()} for w, b in decoder["layers"]
    ]
    data = json.dumps({"layers": layers, "shape": decoder["shape"]}, separators=(",", ":"))
    return f"""
  <div class="live" data-decoder='{data}'>
    <div><canvas class="plane" width="300" height="300"></canvas>
    <p>Move over the plane of the two codes: this page holds the trained decoder and runs it.</p>
    </div>
    <div><canvas class="digit" width="300" height="300"></canvas><p class="code"></p></div>
  </div>"""


def render(chapters: list[Chapter], seconds: float) -> str:
    """The whole page."""
    from .. import __version__

    folder = resources.files(__package__)
    contents = "".join(
        f'<a href="#{c.key}"><b>{i}</b> {html.escape(c.title)}</a>'
        for i, c in enumerate(chapters, 1)
    )
    machine = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"
    return Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        style=(folder / "../page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        contents=contents,
        sections="".join(_section(i, c) for i, c in enumerate(chapters, 1)),
        seconds=f"{seconds:.0f}",
        version=__version__,
        machine=html.escape(machine),
    )
