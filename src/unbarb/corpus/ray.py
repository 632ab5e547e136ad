"""Shards on a Ray cluster: Ray Data hands out their descriptions, and workers that keep a guard clean them.

Only descriptions and counts travel through Ray; rows go from the source to the shards' own files. There
are no tasks for reading or writing, so workers may hold every CPU without a deadlock. Ray starts a worker
that died again and gives its shard out once more, and a shard that is cleaned twice has the same bytes.
See docs/ray.md.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from uuid import uuid4

import ray
import ray.data
import ray.util
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import unbarb
from unbarb.corpus.local import ONE_THREAD
from unbarb.corpus.places import is_remote, join, listed, remove, write_bytes
from unbarb.corpus.plan import Shard, work
from unbarb.corpus.settings import Settings
from unbarb.corpus.shard import ShardDone, clean_shard
from unbarb.corpus.stage import CleanRows
from unbarb.errors import ConfigError, InputError, UnbarbError

ADDRESS = "RAY_ADDRESS"
"""The environment variable that names a running cluster, as everywhere in Ray."""

KNOCK = 5.0
"""Seconds in which a cluster must answer."""

STORE = 128 << 20
"""Bytes of the object store of a local Ray; descriptions and counts take next to nothing."""

TRIES = 8
"""How many workers may die over one shard before the run gives up."""


def run_ray(
    shards: Sequence[Shard],
    settings: Settings,
    workers: int | None = None,
    *,
    address: str | None = None,
) -> Iterator[ShardDone]:
    """Do the shards, in any order; what comes of each as it is done.

    Args:
        workers: processes that clean, one CPU each; default as many as the cluster has CPUs.
        address: a running cluster; default the one that ``RAY_ADDRESS`` names, else Ray is started on
            this machine and stopped at the end.

    Raises:
        ConfigError: no cluster answers, or its nodes have no unbarb or another version.
        InputError: a file cannot be read or written, or is not there on every node, or workers die over one
            shard again and again.
    """
    if not shards:
        return
    with connected(address, workers) as elsewhere:
        shards = [_absolute(shard) for shard in shards]
        if elsewhere:
            check_nodes(shards)
        yield from _done(shards, settings, workers or int(ray.cluster_resources().get("CPU", 1)))


def _done(shards: Sequence[Shard], settings: Settings, workers: int) -> Iterator[ShardDone]:
    described = [{"shard": pickle.dumps(shard)} for shard in shards]
    cleaned = ray.data.from_items(described, override_num_blocks=len(described)).map(
        CleanShards,
        fn_constructor_args=(settings, uuid4().hex),
        # A shard waits for whoever is free first, not behind another one.
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(shards)), max_tasks_in_flight_per_actor=1),
        num_cpus=1,
        runtime_env={"env_vars": ONE_THREAD},
    )
    try:
        for row in cleaned.iter_rows():
            done = pickle.loads(row["done"])
            if isinstance(done, UnbarbError):
                raise done
            yield done
    except RayError as error:
        raise InputError(
            f"Ray gave up ({_first_line(error)}); run the same command again: shards that are done stay"
        ) from error


class CleanShards:
    """One worker: it builds the guard once and cleans shard after shard.

    What is wrong with a shard is handed back, not raised: Ray would wrap it. `run` names the run, in which
    Ray would give out a shard that kills its workers for ever.
    """

    def __init__(self, settings: Settings, run: str) -> None:
        self._settings = settings
        self._run = run

    @cached_property
    def _cleaner(self) -> CleanRows:
        return CleanRows.of(self._settings)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        done: ShardDone | UnbarbError
        try:
            shard = pickle.loads(row["shard"])
            self._count(shard)
            done = clean_shard(shard, self._settings, self._cleaner)
        except UnbarbError as error:
            done = error
        return {"done": pickle.dumps(done)}

    def _count(self, shard: Shard) -> None:
        """Leave a mark of this attempt, which outlives the worker."""
        tries = work(shard.out, f"tries/{self._run}/{shard.number:06d}")
        if len(listed(tries)) >= TRIES:
            raise InputError(
                f"{shard.file}: {TRIES} workers died over its shard {shard.name}; give them more memory or"
                " take fewer (--workers), and run the same command again: shards that are done stay"
            )
        write_bytes(join(tries, uuid4().hex), b"")


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[bool]:
    """A Ray that runs: the one this process has, the one at `address`, or one of its own.

    Gives whether there was one already, which may have nodes elsewhere.

    Raises:
        ConfigError: no cluster answers at `address`.
    """
    if ray.is_initialized():
        yield True
        return
    address = address or os.environ.get(ADDRESS)
    running = bool(address) and address != "local"
    _quietly()
    try:
        if address and running:
            _knock(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(
                "local", num_cpus=workers, object_store_memory=STORE, include_dashboard=False,
                log_to_driver=False, logging_level=logging.ERROR,
            )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        where = f"at {address!r}" if address else "on this machine"
        raise ConfigError(
            f"no Ray {where}: {_first_line(error)}; give --ray-address HOST:PORT of a cluster that runs, or"
            f" none (and unset {ADDRESS}) to start one here"
        ) from error
    try:
        yield running
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Make sure that somebody listens at ``[ray://]HOST:PORT``: Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()


def check_nodes(shards: Sequence[Shard]) -> None:
    """Make sure that every node sees the same files, may write, and has this unbarb.

    A file that is written here is looked for there: folders of one name may be several.

    Raises:
        InputError: a node does not see the files.
        ConfigError: a node has no unbarb, or another version.
    """
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    sources = sorted({shard.uri for shard in shards if not is_remote(shard.uri)})
    outs = sorted({shard.out for shard in shards if not is_remote(shard.out)})
    probes = [work(out, f"seen-{uuid4().hex}") for out in outs]
    for probe in probes:
        write_bytes(probe, b"")
    try:
        problems = _asked(nodes, [*sources, *probes], outs)
    finally:
        for probe in probes:
            remove(probe)
    if problems:
        raise InputError(
            "\n".join(problems)
            + "\nEvery node must see the input and the output under the same path: put them"
            " on shared storage (NFS, or s3://), or use --engine local"
        )


def _asked(nodes: Sequence[dict[str, object]], paths: Sequence[str], outs: Sequence[str]) -> list[str]:
    """What each node says is missing there, in words."""
    look = ray.remote(num_cpus=0, max_retries=0)(_seen)
    asked = [
        look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(str(node["NodeID"]), soft=False)
        ).remote(paths, outs)
        for node in nodes
    ]
    problems = []
    for node, answer in zip(nodes, asked, strict=True):
        name = node["NodeManagerHostname"]
        try:
            version, missing = ray.get(answer)
        except RayError as error:
            raise ConfigError(
                f"node {name} cannot run unbarb: {_first_line(error)}; pip install 'unbarb[ray]' there"
            ) from error
        if version != unbarb.__version__:
            raise ConfigError(
                f"node {name} has unbarb {version}, here is {unbarb.__version__}; install the same on both"
            )
        problems += [f"node {name}: {told}" for told in missing]
    return problems


def _seen(paths: Sequence[str], outs: Sequence[str]) -> tuple[str, list[str]]:
    """The version of unbarb on the node that runs it, and what that lacks of what is needed."""
    missing = [f"no {path}" for path in paths if not os.path.exists(path)]
    return unbarb.__version__, missing + [
        f"may not write in {out}" for out in outs if not os.access(out, os.W_OK)
    ]


def _absolute(shard: Shard) -> Shard:
    """The shard with paths that hold in any working directory."""
    here = {name: getattr(shard, name) for name in ("uri", "out")}
    return replace(
        shard, **{name: uri if is_remote(uri) else os.path.abspath(uri) for name, uri in here.items()}
    )


def _quietly() -> None:
    """Ray shows no bars of its own and sends nothing home."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.util.log_once("ray_data_progress_manager_disabled")  # else it tells that there are none


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
