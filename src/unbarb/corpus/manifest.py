"""What a run came to: settings, inputs, outputs and models with their digests, and counts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from unbarb import __version__
from unbarb.corpus.lists import COUNTS, LISTS, thinned
from unbarb.corpus.places import join, read_bytes
from unbarb.corpus.settings import digest_of
from unbarb.corpus.shard import ShardDone
from unbarb.errors import InputError

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of a finished run; the same input and settings give the same bytes of it.

    `run` is the digest of all that decides what comes out, `inputs` and `outputs` are files with their
    bytes, rows and digests, `lists` the files with what was changed, dropped, flagged and unread. `counts`
    are of rows: ``rows = kept + dropped + unread``, of the kept ``changed`` and ``flagged``; and of
    ``texts``. `tallies` count what was listed, a verdict each.
    """

    run: str
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    inputs: Sequence[Mapping[str, Any]]
    outputs: Sequence[Mapping[str, Any]]
    lists: Mapping[str, Sequence[str]]
    counts: Mapping[str, int]
    tallies: Mapping[str, Mapping[str, int]]
    passed_over: Sequence[str] = ()
    unbarb: str = __version__
    schema: int = 1
    samples: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict, compare=False)
    """Entries of each list for the report, picked evenly; they are not written to the manifest."""

    @property
    def digest(self) -> str:
        """One digest of all cleaned files, their names and order."""
        return digest_of([[one["file"], one["sha256"]] for one in self.outputs])

    def to_dict(self) -> dict[str, Any]:
        plain = {**asdict(self), "digest": self.digest}
        del plain["samples"]
        return dict(sorted(plain.items(), key=lambda one: _ORDER.index(one[0])))

    def to_bytes(self) -> bytes:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def of(
        cls,
        run: str,
        settings: Mapping[str, Any],
        models: Mapping[str, str],
        inputs: Sequence[Mapping[str, Any]],
        passed_over: Sequence[str],
        shards: Iterable[tuple[str, ShardDone]],
    ) -> Self:
        """The manifest of all shards in order, each with the name of its input file."""
        counts = Counter(dict.fromkeys(COUNTS, 0))
        rows: Counter[str] = Counter()
        tallies: dict[str, Counter[str]] = defaultdict(Counter)
        lists: dict[str, list[str]] = {name: [] for name in LISTS}
        samples: dict[str, list[dict[str, Any]]] = defaultdict(list)
        outputs, used = [], dict(models)
        for file, done in shards:
            outputs.append({"of": file, **done.output})
            counts.update(done.counts)
            rows[file] += done.counts["rows"]
            used |= done.models
            for name, tally in done.tallies.items():
                tallies[name].update(tally)
            for place in done.lists:
                lists[place.partition("/")[0]].append(place)
            for name, found in done.samples.items():
                samples[name] = thinned([*samples[name], *found])
        return cls(
            run=run,
            settings=settings,
            models=dict(sorted(used.items())),
            inputs=[{**one, "rows": rows[one["file"]]} for one in inputs],
            outputs=outputs,
            lists=lists,
            counts=dict(counts),
            tallies={name: dict(sorted(tallies[name].items())) for name in sorted(tallies)},
            passed_over=list(passed_over),
            samples=dict(samples),
        )

    @classmethod
    def read(cls, out: str) -> Self | None:
        """The manifest of the finished run in OUT, None where there is none.

        Raises:
            InputError: the file there is no manifest.
        """
        place = join(out, NAME)
        content = read_bytes(place)
        if content is None:
            return None
        try:
            plain = json.loads(content)
            if plain.pop("schema") != 1 or plain.pop("digest") is None:
                raise ValueError("another schema")
            return cls(**plain)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{place}: no manifest of this version ({error}); give another OUT") from error


_ORDER = (
    "schema", "unbarb", "run", "digest", "counts", "tallies", "settings", "models", "inputs", "outputs",
    "lists", "passed_over",
)  # fmt: skip
