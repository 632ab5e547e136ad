"""The Ray engine on a cluster of two nodes on this machine: the local engine's bytes, whoever dies."""

from __future__ import annotations

import os
import pickle
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clean_runs import digests, write_corpus
from unbarb.corpus import Manifest, clean
from unbarb.corpus.plan import plan, work
from unbarb.corpus.run import Progress
from unbarb.corpus.settings import Settings
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.guard import Guard

pytest.importorskip("ray", reason="needs the extra 'ray'")

import pyarrow.parquet
import ray
import ray.data
from ray.cluster_utils import Cluster

from unbarb.corpus.ray import TRIES, CleanShards, check_nodes, connected, run_ray

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="worker processes are looked up in /proc"),
    # Ray's own settings warn of each other.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]

SHARD = 4096
WORKER = b"ray::MapWorker"


class Local:
    """A corpus, and what the local engine makes of it."""

    def __init__(self, folder: Path) -> None:
        self.source = write_corpus(folder / "in", 400)
        self.manifest = clean(self.source, folder / "out", workers=1, shard_bytes=SHARD)
        self.files = digests(folder / "out")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Local:
    return Local(tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes of one CPU each, to which this process is connected."""
    node = {"num_cpus": 1, "object_store_memory": 128 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    cluster.add_node(**node)
    with connected(cluster.address, None):
        yield cluster
    cluster.shutdown()


def cleaned(local: Local, out: Path, at_first_shard: Callable[[], None] = lambda: None) -> Manifest:
    """The corpus cleaned by Ray; `at_first_shard` is called once, when the first shards are done."""
    todo = [at_first_shard]

    def moved(now: Progress) -> None:
        if now.share > 0 and todo:
            todo.pop()()

    return clean(local.source, out, engine="ray", shard_bytes=SHARD, progress=moved)


@pytest.mark.slow
def test_two_nodes_write_what_the_local_engine_writes(
    cluster: Cluster, local: Local, tmp_path: Path
) -> None:
    assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    assert local.manifest.counts["unread"] == 8

    manifest = cleaned(local, tmp_path / "out")

    assert manifest == local.manifest
    assert digests(tmp_path / "out") == local.files


@pytest.mark.slow
def test_killed_workers_lose_nothing(cluster: Cluster, local: Local, tmp_path: Path) -> None:
    killed = []

    def kill_workers() -> None:
        for pid in workers():
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    cleaned(local, tmp_path / "out", kill_workers)

    assert len(killed) == 2
    assert digests(tmp_path / "out") == local.files


class Other:
    """An actor that does nothing and holds a CPU."""


@pytest.mark.filterwarnings("ignore:The minimum number of concurrent actors:UserWarning")  # one file
def test_the_stage_runs_in_map_batches_over_parquet_as_on_the_page(
    cluster: Cluster, tmp_path: Path
) -> None:
    page = Path(__file__).parents[2].joinpath("docs/ray.md").read_text("utf-8")
    (block,) = [code for code in re.findall(r"```python\n(.+?)```", page, re.DOTALL) if "CleanRows" in code]
    texts = ["The museum opens again in spring.", "You are an idiot.", "I will kill you tonight."]
    table = pyarrow.table({"id": range(30), "text": texts * 10})
    pyarrow.parquet.write_table(table, tmp_path / "comments.parquet")

    # One of the two CPUs is somebody else's: workers that held the other would leave none to write with.
    other = ray.remote(num_cpus=1)(Other).remote()
    exec(compile(block.replace("/shared", str(tmp_path)), "docs/ray.md", "exec"), {})
    ray.kill(other)

    rows = sorted(pyarrow.parquet.read_table(tmp_path / "cleaned").to_pylist(), key=lambda row: row["id"])
    verdicts = Guard().batch(texts)
    assert [verdict.action for verdict in verdicts] == ["allow", "rewrite", "block"]
    assert [row["id"] for row in rows] == [number for number in range(30) if number % 3 != 2]
    assert {row["text"] for row in rows} == {verdicts[0].text, verdicts[1].text}
    assert all(bool(row["unbarb"]) == (row["id"] % 3 == 1) for row in rows)


def test_a_node_without_the_files_is_told_before_anything_is_done(
    cluster: Cluster, local: Local, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shards = plan(str(local.source), str(out), Settings.of()).shards
    gone = [replace(shard, uri="/nowhere/comments.jsonl") for shard in shards]

    with pytest.raises(InputError) as told:
        next(run_ray(gone, Settings.of()))

    message = str(told.value)
    assert message.count("no /nowhere/comments.jsonl") == 2
    assert "shared storage (NFS, or s3://)" in message
    assert not [path for path in out.rglob("*") if path.is_file()]
    check_nodes(shards)


def test_what_is_wrong_with_a_shard_comes_back_as_it_was_raised(
    cluster: Cluster, local: Local, tmp_path: Path
) -> None:
    shards = plan(str(local.source), str(tmp_path / "out"), Settings.of()).shards
    longer = [replace(shard, end=shard.end + 10**6) for shard in shards]

    with pytest.raises(InputError, match="has changed since it was planned"):
        list(run_ray(longer, Settings.of(), 1))


@pytest.mark.slow
def test_a_lost_node_loses_nothing(cluster: Cluster, local: Local, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=1, object_store_memory=128 << 20)

    cleaned(local, tmp_path / "out", lambda: cluster.remove_node(second, allow_graceful=False))

    assert digests(tmp_path / "out") == local.files


def test_a_shard_that_kills_its_workers_is_given_up(local: Local, tmp_path: Path) -> None:
    settings = Settings.of()
    shard = plan(str(local.source), str(tmp_path / "out"), settings).shards[0]
    tries = Path(work(shard.out, f"tries/now/{shard.number:06d}"))
    tries.mkdir(parents=True)
    for number in range(TRIES):
        (tries / str(number)).touch()
    stage, row = CleanShards(settings, "now"), {"shard": pickle.dumps(shard)}

    told = pickle.loads(stage(row)["done"])
    again = pickle.loads(CleanShards(settings, "another run")(row)["done"])

    assert isinstance(told, InputError)
    assert f"{TRIES} workers died" in str(told)
    assert again.number == shard.number


def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    with (
        pytest.raises(ConfigError, match=r"no Ray at '127\.0\.0\.1:9'.*--ray-address"),
        connected("127.0.0.1:9", None),
    ):
        pytest.fail("nobody listens there")


def test_a_cluster_is_of_no_use_to_the_local_engine(local: Local, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'head:6379' is given to the engine 'local'"):
        clean(local.source, tmp_path / "out", ray_address="head:6379")


def test_without_ray_it_says_what_to_install(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "unbarb.corpus.ray", None)

    with pytest.raises(MissingExtra, match=r"pip install 'unbarb\[ray\]'"):
        clean(local.source, tmp_path / "out", engine="ray")


def workers() -> list[int]:
    """Processes of Ray that clean shards."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.joinpath("cmdline").read_bytes().startswith(WORKER):
                found.append(int(folder.name))
        except OSError:
            """It has ended meanwhile."""
    return found
