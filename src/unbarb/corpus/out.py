"""The folder a run writes to: whose it is, how far it is, and what stands in it when all is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from unbarb.corpus.lists import LISTS
from unbarb.corpus.manifest import NAME, Manifest
from unbarb.corpus.places import (
    is_inside,
    is_remote,
    join,
    listed,
    read_bytes,
    remove,
    remove_parts,
    told,
    write_bytes,
)
from unbarb.corpus.plan import WORK, Plan, Shard, work
from unbarb.corpus.settings import digest_of
from unbarb.corpus.sources import Found
from unbarb.errors import InputError

try:
    import fcntl
except ImportError:  # not a Unix
    flock = None
else:

    def flock(file: IO[str]) -> None:
        """Lock `file` until it is closed, or raise OSError where another process has."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


REPORT = "report.html"
RUN = "run.json"
"""In the work folder: what was asked and the plan, from when there is one."""
CLEARED = (f"{WORK}/done", NAME, REPORT, *LISTS, "data", f"{WORK}/{RUN}")
"""What a run writes and the next may not find, in this order; nothing else is removed."""


class Output:
    """OUT, as a run finds it and leaves it.

    Raises:
        InputError: the input lies inside of it.
    """

    def __init__(self, place: str, found: Found) -> None:
        self.place = place.rstrip("/") if is_remote(place) else str(Path(place).absolute())
        self._stamps = {one.name: [one.entry.bytes, one.entry.stamp] for one in found.sources}
        for one in found.sources:
            if is_inside(one.uri, self.place):
                raise InputError(
                    f"{one.uri} lies inside of {place}; give an OUT that holds none of the input"
                )

    @contextmanager
    def opened(self, asked: Mapping[str, Any], *, resume: bool, overwrite: bool) -> Iterator[None]:
        """OUT, ours alone while the block runs; `asked` is what decides what comes out, but for the input.

        To overwrite is to begin anew, except that a stopped run of the very same kind and input goes on, so
        that the same command always goes on; without `resume` it does not.

        A block that fails before there is a plan leaves OUT as it was.

        Raises:
            InputError: OUT holds something else, another run, or one that is at work now.
        """
        self._now = {**asked, "input": self._stamps}
        self._finished, kept = Manifest.read(self.place), read_bytes(work(self.place, RUN))
        self._begun = None if kept is None or self._finished is not None else json.loads(kept)
        if not overwrite and self._finished is not None:
            self._refuse_other(_asked_of(self._finished, asked), self._now, "a finished run")
        elif not overwrite and self._begun is not None:
            if not resume:
                raise InputError(
                    f"{self.place} holds a run that was stopped; go on with it (--resume), or begin anew"
                    " (--no-resume --overwrite)"
                )
            self._refuse_other(self._begun["asked"], self._now, "a run that was stopped")
        elif self._finished is None and not listed(work(self.place, "")):
            self._refuse_strangers()
        with self._locked():
            if overwrite:
                self._finished = None
                if self._begun is not None and not (resume and self._same(self._begun["asked"])):
                    self._begun = None
            try:
                yield
            except BaseException:
                if read_bytes(work(self.place, RUN)) is None:
                    self._leave()
                raise

    def _refuse_strangers(self) -> None:
        strange = [one.uri for one in listed(self.place) if not is_inside(one.uri, work(self.place, ""))]
        if strange:
            raise InputError(
                f"{self.place} holds what no run of unbarb wrote ({strange[0]}); give an OUT that is"
                " empty or not there"
            )

    def _refuse_other(self, before: Mapping[str, Any], now: Mapping[str, Any], what: str) -> None:
        differing = list(_differences(before, {name: now[name] for name in before}))
        # A digest says nothing to a person where something else does.
        differing = [one for one in differing if "'sha256:" not in one] or differing
        if differing:
            raise InputError(
                f"{self.place} holds {what} of another kind ({'; '.join(differing[:5])}); give another OUT,"
                " or --overwrite to remove it"
            )

    def _same(self, before: Mapping[str, Any]) -> bool:
        return not list(_differences(before, self._now))

    def planned(self, make: Callable[[], Plan]) -> Plan:
        """The plan of the run that was stopped, or a new one."""
        if self._begun is not None:
            plain = self._begun["plan"]
            shards = [Shard.from_dict(one) for one in plain["shards"]]
            return Plan(shards, plain["inputs"], plain["passed_over"])
        made = make()
        if self._finished is None:
            self._clear()  # not before: a mistake that only the plan finds costs nobody an earlier run
            plain = {**asdict(made), "shards": [shard.to_dict() for shard in made.shards]}
            content = json.dumps({"asked": self._now, "plan": plain}, ensure_ascii=False)
            write_bytes(work(self.place, RUN), content.encode())
        return made

    def settled(self, run: str) -> Manifest | None:
        """The manifest, where the run was finished before.

        Raises:
            InputError: it is of other input.
        """
        if self._finished is None:
            return None
        self._leave()
        if self._finished.run != run:
            raise InputError(
                f"{self.place} holds a finished run over other input; give another OUT, or --overwrite to"
                " remove it"
            )
        return self._finished

    def finish(self, manifest: Manifest, report: str) -> None:
        """All shards are done: write the report, the manifest last, and remove what is not needed now."""
        remove_parts(self.place)
        write_bytes(join(self.place, REPORT), report.encode())
        write_bytes(join(self.place, NAME), manifest.to_bytes())
        self._leave()

    def _leave(self) -> None:
        remove(work(self.place, ""))

    def _clear(self) -> None:
        # What says that something is done goes before what was done: a kill in between loses nothing.
        for name in CLEARED:
            remove(join(self.place, name))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One run at a time; at S3, and on systems without such locks, that is the caller's to see to."""
        if is_remote(self.place) or flock is None:
            yield
            return
        path = Path(self.place, WORK, "lock")
        with told(self.place, "written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        with lock:
            try:
                flock(lock)
            except OSError:
                raise InputError(f"{self.place}: another run is at work there; wait for it") from None
            yield


def identity(asked: Mapping[str, Any], inputs: Any) -> str:
    """The digest of all that decides what comes out."""
    return digest_of({**asked, "inputs": inputs})


def _asked_of(finished: Manifest, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked of a finished run, as far as its manifest tells."""
    plain = finished.to_dict()
    models = {name: plain["models"].get(name) for name in asked["models"]}
    return {"unbarb": plain["unbarb"], "settings": plain["settings"], "models": models}


def _differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else str(key))
    elif before != now:
        short = (repr(one)[:60] for one in (before, now))
        yield f"{name}: {next(short)} there, {next(short)} now"
