"""The report: figures and charts, and nothing rude before it is asked for."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from corpora import CLEAN, RUDE, THREAT


class Shown(HTMLParser):
    """The text that a reader sees without a click, and that which is behind one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen, self.hidden = "", ""

    def handle_starttag(self, tag: str, attributes: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "details" in self.open and "summary" not in self.open:
            self.hidden += data
        elif "style" not in self.open:
            self.seen += data


def test_figures_are_shown_and_rude_texts_are_behind_a_click(cleaned) -> None:
    hostile = f"{RUDE} <script>alert(1)</script>"
    rows = [CLEAN, hostile, THREAT, CLEAN]
    content = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in rows) + b"<b>not json\n"
    ran = cleaned({"a<b>.jsonl": content})
    page = (ran.out / "report.html").read_text("utf-8")
    shown = Shown()
    shown.feed(page)
    assert shown.open == []
    assert "<script" not in page
    for words in ("idiot", "kill you", "<b>not json"):
        assert words not in shown.seen
        assert words in shown.hidden
    assert re.search(r"5\s*rows read", shown.seen)
    assert ran.manifest.digest in shown.seen
    for title in ("What was done to the texts", "Toxicity of the changed texts before", "and after"):
        assert title in shown.seen
    assert "a<b>.jsonl" in shown.seen


def test_samples_are_the_same_however_the_corpus_is_cut(cleaned) -> None:
    content = b"".join(json.dumps({"text": f"{RUDE} {at}"}).encode() + b"\n" for at in range(100))
    whole = cleaned({"a.jsonl": content}, filter=True).manifest
    cut = cleaned({"a.jsonl": content}, filter=True, shard_bytes=900, overwrite=True).manifest
    assert len(cut.outputs) > 5
    places = [[one["place"] for one in run.samples["dropped"]] for run in (whole, cut)]
    assert places[0] == places[1]
    assert len(places[0]) == 24
