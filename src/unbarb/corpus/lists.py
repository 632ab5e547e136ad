"""What is told of a shard beside its cleaned rows: what was changed, dropped, flagged, not read."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self
from zlib import crc32

from unbarb.corpus.fields import Path
from unbarb.corpus.places import join, writing
from unbarb.corpus.plan import Shard
from unbarb.corpus.rows import Empty, Fate, Item, Row, Unread
from unbarb.corpus.stage import CHANGED, Cleaned, CleanRows, record
from unbarb.text import Verdict

LISTS = ("changes", "dropped", "flagged", "unread")
SAMPLES, SHOWN = 24, 600
"""Samples kept of each list, and the characters of the longest text in them."""
COUNTS = ("rows", "kept", "changed", "flagged", "dropped", "unread", "texts")


class Lists:
    """Writes the lists of one shard and counts; a list that would be empty has no file.

    `counts` are of rows but for ``texts``; ``rows`` are all of them, ``kept`` those in the output,
    ``changed`` and ``flagged`` some of the kept.
    """

    def __init__(self, shard: Shard, cleaner: CleanRows) -> None:
        self._shard = shard
        self._drops = cleaner.drops
        self._filter = cleaner.settings.filter
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()
        self.samples: dict[str, list[dict[str, Any]]] = {}
        self.counts = Counter(dict.fromkeys(COUNTS, 0))
        self.tallies: dict[str, Counter[str]] = defaultdict(Counter)
        self.models: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def noted(self, item: Item, cleaned: Cleaned | None) -> Fate:
        """Count an item, list what there is to tell of it, and say what becomes of it."""
        if isinstance(item, Empty):
            return {}
        self.counts["rows"] += 1
        if isinstance(item, Unread):
            self._unread(item)
            return None
        self.counts["texts"] += len(item.texts)
        if cleaned is None or not cleaned.verdicts:
            self.counts["kept"] += 1
            return {}
        if cleaned.new is None:
            self._dropped(item, cleaned)
        else:
            self._kept(item, cleaned)
        return cleaned.new

    def _kept(self, row: Row, cleaned: Cleaned) -> None:
        self.counts["kept"] += 1
        self.counts["changed"] += bool(cleaned.new)
        self.counts["flagged"] += any(verdict.action == "flag" for _, verdict in cleaned.verdicts)
        for path, verdict in cleaned.verdicts:
            self._tally(verdict)
            name = "changes" if verdict.action in CHANGED else "flagged"
            self._write(name, row, record(path, verdict))
            self._pick(name, row, path, verdict)

    def _dropped(self, row: Row, cleaned: Cleaned) -> None:
        self.counts["dropped"] += 1
        for path, verdict in cleaned.verdicts:
            if self._drops(verdict):
                self._tally(verdict)
                filtered = self._filter and verdict.action in CHANGED
                reason = f"filtered: {verdict.rule}" if filtered else verdict.rule
                self._write(
                    "dropped", row, {"reason": reason, **record(path, verdict), "text": verdict.original}
                )
                self._pick("dropped", row, path, verdict)

    def _unread(self, item: Unread) -> None:
        self.counts["unread"] += 1
        self.tallies["unread"][re.sub(r"\d+", "N", item.reason.partition(": ")[0])] += 1
        entry: dict[str, Any] = {"reason": item.reason, "content": None}
        try:
            entry["content"] = None if item.raw is None else item.raw.decode()
        except UnicodeDecodeError:
            entry["content_base64"] = base64.b64encode(item.raw or b"").decode()
        self._write("unread", item, entry)
        shown = (item.raw or b"")[:SHOWN].decode(errors="backslashreplace")
        self._keep("unread", item.number, {"reason": item.reason, "before": shown})

    def _tally(self, verdict: Verdict) -> None:
        self.models.update(verdict.models)
        tallies = self.tallies
        tallies["actions"][verdict.action] += 1
        tallies["steps"][verdict.step] += 1
        tallies["rules"][verdict.rule.partition(": ")[0]] += 1
        for name, scores in (("before", verdict.scores), ("after", verdict.scores_after)):
            if verdict.action in CHANGED and scores and "toxicity" in scores:
                tallies[name][str(min(9, int(scores["toxicity"] * 10)))] += 1

    def _write(self, name: str, item: Row | Unread, entry: dict[str, Any]) -> None:
        if name not in self._files:
            place = join(self._shard.out, self._name(name))
            self._files[name] = self._stack.enter_context(writing(place))
        head: dict[str, Any] = {"file": self._shard.file, "row": item.number}
        if isinstance(item, Row):
            head["id"] = item.id
        self._files[name].write(json.dumps(head | entry, ensure_ascii=False).encode() + b"\n")

    def _name(self, name: str) -> str:
        return f"{name}/part-{self._shard.number:06d}.jsonl"

    def _pick(self, name: str, row: Row, path: Path, verdict: Verdict) -> None:
        sample = {
            "rule": verdict.rule.partition(": ")[0],
            "step": verdict.step,
            "before": verdict.original[:SHOWN],
            "after": (verdict.text or "")[:SHOWN] if name == "changes" else None,
        }
        self._keep(name, row.number, sample)

    def _keep(self, name: str, number: int, sample: dict[str, Any]) -> None:
        """Keep a sample that any other run over the same rows would keep too: picked by where it stands."""
        place = f"{self._shard.file}:{number}"
        picked = self.samples.setdefault(name, [])
        picked.append(
            {"pick": [crc32(place.encode()), self._shard.number, len(picked)], "place": place, **sample}
        )
        if len(picked) > 2 * SAMPLES:
            self.samples[name] = thinned(picked)

    @property
    def written(self) -> list[str]:
        """Names of the lists that hold something."""
        return [self._name(name) for name in LISTS if name in self._files]


def thinned(samples: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """So many of the samples as are kept, the same whatever parts of the corpus they come in."""
    return sorted(samples, key=lambda one: one["pick"])[:SAMPLES]
