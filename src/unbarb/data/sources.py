"""What a set is prepared from: corpora by their name, and any file or folder by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from unbarb.data.catalogue import ORIGINS
from unbarb.data.corpora import READERS, Corpora
from unbarb.data.layouts import Layout, layouts, of_mapping, recognised
from unbarb.data.mapping import Columns
from unbarb.data.prepared import Kind, Row
from unbarb.data.readers.paranmt import STANDARD, Limits
from unbarb.data.records import FORMATS, Fault, Records, open_records
from unbarb.errors import ConfigError, InputError

PAIRS = ("paradetox",)
NAMES = (*PAIRS, *READERS)
"""Corpora that can be prepared by name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one kind. `rows` gives them with id and corpus, a reason for each left out, and faults.

    `layout` says how they were read; `licence` and `url` are known for named corpora only.
    """

    name: str
    kind: Kind
    files: tuple[Path, ...]
    layout: str
    rows: Callable[[], Iterator[Row | str | Fault]]
    licence: str | None = None
    url: str | None = None


def named(name: str, corpora: Corpora) -> Source:
    """A corpus of `NAMES`, from the folder of corpora.

    Raises:
        ConfigError: there is none of that name.
        InputError: a file of it is missing.
    """
    if name not in NAMES:
        raise ConfigError(
            f"no corpus {name!r} that can be prepared; there are {', '.join(NAMES)};"
            " any other file goes by --input FILE"
        )
    files = corpora.paths(name)
    origin = ORIGINS[name]
    if name in PAIRS:
        records = open_records(files[0])
        layout = recognised(records.columns)
        if layout is None or layout.kind != "pairs":
            raise InputError(f"{files[0]}: no columns toxic, neutral1; found {', '.join(records.columns)}")
        read = partial(_read, files[0], name, layout)
        return Source(name, "pairs", files, layout.name, read, origin.licence, origin.url)
    read = partial(_labelled, name, corpora)
    return Source(name, "labelled", files, name, read, origin.licence, origin.url)


def from_path(
    path: Path,
    columns: Sequence[str] = (),
    name: str | None = None,
    limits: Limits = STANDARD,
    kind: Kind | None = None,
) -> Source:
    """A file or a folder of `datasets`; its columns are mapped by `columns` or known by their names.

    `name` is what rows say in ``corpus``; by default the name of the file. `kind` chooses where a table can
    be read as more than one; see `as_kind`.

    Raises:
        ConfigError: the mapping cannot be read.
        InputError: the table cannot be opened, lacks a mapped column, or has columns of no known table.
    """
    mapping = Columns.parse(columns) if columns else None
    records = open_records(path)
    known = recognised(records.columns, limits, kind) if mapping is None else of_mapping(mapping)
    if mapping is not None and (problems := mapping.missing(records.columns)):
        raise InputError(f"{path}: {'; '.join(problems)}; it has {_listed(records)}")
    if known is None:
        tables = "; ".join(f"{one.name}: {', '.join(one.columns)}" for one in layouts())
        raise InputError(
            f"{path}: its columns ({_listed(records)}) are of no known table; say which is what, as in"
            f" --column text=comment --column label:toxicity=toxic, or --column source=… --column target=…"
            f"\n  known: {tables}"
        )
    corpus = name or _stem(path)
    return Source(corpus, known.kind, _files(path), known.name, partial(_read, path, corpus, known))


def as_kind(source: Source, kind: Kind) -> Source:
    """The rows of `source` as those of another kind.

    Both texts of a pair become labelled, the source toxic and the target not, with no other label known; of
    a preference the chosen text becomes the target.

    Raises:
        ConfigError: rows of that kind cannot be made of these.
    """
    if source.kind == kind:
        return source
    if (source.kind, kind) not in TURNS:
        told = ", ".join(f"{one} as {other}" for one, other in TURNS)
        raise ConfigError(f"{source.name} has {source.kind}; {kind} cannot be made of them (only {told})")
    turn = TURNS[source.kind, kind]

    def rows() -> Iterator[Row | str | Fault]:
        for row in source.rows():
            yield from turn(row) if isinstance(row, dict) else (row,)

    return replace(source, kind=kind, layout=f"{source.layout}, as {kind}", rows=rows)


SIDE_OF = "side_of"
"""In the meta of a pair's side: the pair's source, by which both sides go into one split."""


def _both_sides(row: Row) -> Iterator[Row]:
    for part, toxicity in (("source", 1.0), ("target", 0.0)):
        kept = {"id": f"{row['id']}-{part}", "text": row[part], "labels": {"toxicity": toxicity}}
        yield {**kept, "corpus": row["corpus"], "meta": {SIDE_OF: row["source"]}}


def _chosen(row: Row) -> Iterator[Row]:
    yield {"id": row["id"], "source": row["source"], "target": row["chosen"], "corpus": row["corpus"]}


TURNS: Mapping[tuple[Kind, Kind], Callable[[Row], Iterator[Row]]] = {
    ("pairs", "labelled"): _both_sides,
    ("preferences", "pairs"): _chosen,
}
"""Kinds that can be made of another: from, to."""


def one_kind(sources: Sequence[Source]) -> Kind:
    """The kind that all sources have.

    Raises:
        ConfigError: there are none, they differ, or two have the same name.
    """
    if not sources:
        raise ConfigError(f"nothing to prepare: name corpora ({', '.join(NAMES)}) or give --input FILE")
    kinds = {source.kind for source in sources}
    if len(kinds) > 1:
        told = ", ".join(f"{source.name} has {source.kind}" for source in sources)
        raise ConfigError(f"a set holds rows of one kind: {told}; prepare them apart, or with --kind")
    names = [source.name for source in sources]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"two sources are called {', '.join(double)}; prepare them apart")
    return sources[0].kind


def _read(path: Path, corpus: str, layout: Layout) -> Iterator[Row | str | Fault]:
    for number, record in enumerate(open_records(path).rows, 1):
        if isinstance(record, Fault):
            yield record
            continue
        found = list(layout.rows(record))
        for part, row in enumerate(found, 1):
            if isinstance(row, dict):
                own = row.pop("id", f"{number}-{part}" if len(found) > 1 else number)
                yield {"id": f"{corpus}-{own}", **row, "corpus": corpus}
            else:
                yield row


def _labelled(name: str, corpora: Corpora) -> Iterator[Row | str | Fault]:
    for number, example in enumerate(corpora.labelled(name), 1):
        if example.labels:
            labels = {label: round(share, 6) for label, share in example.labels.items()}
            yield {"id": f"{name}-{number}", "text": example.text, "labels": labels, "corpus": name}
        else:
            yield "unlabelled"


def _listed(records: Records) -> str:
    return ", ".join(records.columns) or "none"


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return next((name.removesuffix(ending) for ending in FORMATS if name.endswith(ending)), name) or "input"


def _files(path: Path) -> tuple[Path, ...]:
    return tuple(sorted(file for file in path.rglob("*") if file.is_file())) if path.is_dir() else (path,)


def all_named(names: Iterable[str], corpora: Corpora | None) -> list[Source]:
    """The corpora of these names.

    Raises:
        ConfigError: nobody named a folder of corpora, or one is not known.
    """
    wanted = list(names)
    if wanted and corpora is None:
        raise ConfigError(f"where is {wanted[0]}? Name its folder by --data FOLDER or UNBARB_DATA")
    return [named(name, corpora) for name in wanted if corpora is not None]
