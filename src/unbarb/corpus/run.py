"""Clean a corpus: find it, cut it, have an engine do the shards, and tell what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from unbarb import __version__
from unbarb.corpus.local import run_local
from unbarb.corpus.manifest import Manifest
from unbarb.corpus.out import Output, identity
from unbarb.corpus.page import page
from unbarb.corpus.plan import Plan, Shard, plan
from unbarb.corpus.settings import Settings
from unbarb.corpus.shard import ShardDone, finished
from unbarb.corpus.sources import find
from unbarb.corpus.stage import CleanRows
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.policy import Policy
from unbarb.text import Direction

Engine = Literal["local", "ray"]
ENGINES: tuple[Engine, ...] = ("local", "ray")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: rows done by it, and the share of the whole corpus, 0…1, that is done."""

    rows: int
    share: float


def clean(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    policy: str | Path | Policy = "default",
    columns: str | Sequence[str] | None = None,
    roles: str | Sequence[str] | None = None,
    id_column: str | None = None,
    filter: bool = False,
    direction: Direction = "none",
    format: str | None = None,
    engine: Engine = "local",
    workers: int | None = None,
    ray_address: str | None = None,
    shard_bytes: int | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Manifest:
    """Write the corpus `source` cleaned to the folder `out`; what comes out depends on no worker.

    A run that was stopped, however rudely, goes on where it was when it is called again; one that was
    finished is not done again.

    Args:
        source: files, folders or globs, of this machine or at ``s3://``.
        policy: a preset's name, a policy file, or a policy. Rows with a text that it blocks or routes are
            dropped, texts that it rewrites or masks are replaced.
        columns: those that hold texts, nested ones as ``a.b``; lists and chat messages are gone into.
        roles: of chat messages, those that are cleaned; default all.
        id_column: the column whose value names a row in the lists; default ``id`` where there is one.
        filter: drop the rows that would be rewritten or masked.
        format: that of files whose names do not tell theirs: jsonl, parquet, csv, tsv or text.
        engine: who does the shards: processes of this machine, or a Ray cluster.
        workers: how many work side by side; default as many as there are cores.
        ray_address: the Ray cluster; default the one that ``RAY_ADDRESS`` names, or one started here.
        shard_bytes: bytes of a shard; default by the size of the corpus.
        resume: go on with what a stopped run left; else that is an error.
        overwrite: remove what another run wrote to `out`; a stopped one of the same kind over the same
            input goes on nevertheless, unless `resume` is False.
        progress: is told how far the run is.

    Raises:
        InputError: the input cannot be read or lacks a column, or `out` cannot be written to or belongs to
            another run.
        ConfigError: the policy or an option is not valid.
        MissingExtra: Parquet, zstd, ``s3://`` or Ray is asked for without its package.
    """
    _check(engine, workers, ray_address, shard_bytes)
    settings = Settings.of(
        policy, columns, roles=roles, id_column=id_column, filter=filter, direction=direction
    )
    sources = [source] if isinstance(source, str | Path) else source
    found = find([str(one) for one in sources], format, str(out))
    cleaner = CleanRows.of(settings)
    output = Output(str(out), found)
    asked: dict[str, Any] = {
        "unbarb": __version__,
        "settings": {**settings.to_dict(), "format": format, "shard_bytes": shard_bytes},
        "models": cleaner.models,
    }
    with output.opened(asked, resume=resume, overwrite=overwrite):
        planned = output.planned(lambda: plan(found, output.place, settings, shard_bytes=shard_bytes))
        run = identity(asked, planned.inputs)
        if before := output.settled(run):
            return before
        _work(planned, settings, cleaner, engine, workers, ray_address, progress)
        manifest = _summed(planned, run, asked)
        output.finish(manifest, page(manifest))
    return manifest


def _check(engine: str, workers: int | None, ray_address: str | None, shard_bytes: int | None) -> None:
    problems = []
    if engine not in ENGINES:
        problems.append(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    if ray_address is not None and engine == "local":
        problems.append(
            f"ray_address {ray_address!r} is given to the engine 'local'; give engine 'ray' too"
        )
    for name, value in (("workers", workers), ("shard_bytes", shard_bytes)):
        if value is not None and value < 1:
            problems.append(f"{name} {value} is not 1 or more")
    if problems:
        raise ConfigError("\n".join(problems))


def _work(
    planned: Plan,
    settings: Settings,
    cleaner: CleanRows,
    engine: Engine,
    workers: int | None,
    ray_address: str | None,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Have the engine do the shards that are not done yet."""
    todo = [shard for shard in planned.shards if finished(shard) is None]
    whole = sum(map(_size, planned.shards)) or 1
    done_size = whole - sum(map(_size, todo))
    rows = 0

    def moved(more_rows: int, more_size: int) -> None:
        nonlocal rows, done_size
        rows, done_size = rows + more_rows, done_size + more_size
        if progress is not None:
            progress(Progress(rows, min(1.0, done_size / whole)))

    moved(0, 0)
    if engine == "local":
        for _ in run_local(todo, settings, workers or os.cpu_count() or 1, cleaner, moved):
            """What came of a shard stands in its marker."""
        return
    sizes = {shard.number: _size(shard) for shard in todo}
    for done in _ray()(todo, settings, workers, address=ray_address):
        moved(done.counts["rows"], sizes[done.number])


def _size(shard: Shard) -> int:
    return shard.end - shard.start


def _ray() -> Callable[..., Iterator[ShardDone]]:
    try:
        from unbarb.corpus.ray import run_ray
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature("--engine ray", "ray", "ray") from error
    return run_ray


def _summed(planned: Plan, run: str, asked: Mapping[str, Any]) -> Manifest:
    ends = ((shard.file, _surely(shard)) for shard in planned.shards)
    return Manifest.of(run, asked["settings"], asked["models"], planned.inputs, planned.passed_over, ends)


def _surely(shard: Shard) -> ShardDone:
    done = finished(shard)
    if done is None:
        raise InputError(
            f"{shard.out}: the marker of shard {shard.number} is gone; run the same command again"
        )
    return done
