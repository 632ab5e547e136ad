"""What Prometheus can read: durations, counts, the queue. No text, no user, no key in any label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from unbarb.policy import Policy
from unbarb.text import Verdict

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells several workers where to keep their figures; read when the client is imported."""

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CHARACTERS = (0, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Meters:
    """The service's figures; one for each application."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def seconds(name: str, about: str, *labels: str) -> Histogram:
            return Histogram(f"unbarb_{name}_seconds", about, labels, buckets=SECONDS, registry=registry)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"unbarb_{name}", about, labels, registry=registry)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(f"unbarb_{name}", about, labels, registry=registry, multiprocess_mode="livesum")

        self.requests = seconds(
            "request", "A request, from its head to its answer's end.", "surface", "status"
        )
        self.steps = {
            "detect": seconds("detect", "Scoring the texts of one batch."),
            "rewrite": seconds("rewrite", "Proposing candidates for one stretch of text."),
            "verify": seconds("verify", "Checking one candidate."),
        }
        self._queue_seconds = seconds("queue", "From arrival in the queue to the batch.", "lane")
        self._batch_seconds = seconds("batch", "Work on one batch.", "lane")
        self._batch_texts = Histogram(
            "unbarb_batch_texts", "Texts of one batch.", ["lane"], buckets=SIZES, registry=registry
        )
        self._depth = gauge("queue_depth", "Texts that wait.", "lane")
        self.in_flight = gauge("requests_in_flight", "Requests being answered.")
        self._verdicts = counter("verdicts", "Texts decided about.", "surface", "direction", "action")
        self._labels = counter("labels", "Texts with a score over a label's threshold.", "surface", "label")
        self._failures = counter("failures", "Requests that failed.", "surface", "code")
        self.detector_failures = counter("detector_failures", "Texts on which a detector failed.")
        self.audit_seconds = seconds("audit", "Writing one group of records.")
        self.audit_failures = counter("audit_failures", "Groups of records that could not be written.")
        self.spilled = counter("audit_spilled", "Records that went to the spill file.")
        self.reloads = counter("reloads", "Policies and keys read again.", "what", "outcome")
        self.hold_back_seconds = seconds("hold_back", "From arrival on a stream to leaving it.")
        self.hold_back_characters = Histogram(
            "unbarb_hold_back_characters", "Characters held back when a piece of a stream leaves.",
            buckets=CHARACTERS, registry=registry,
        )  # fmt: skip

    def step(self, name: str, seconds: float) -> None:
        """Observe a step of a guard: detect, rewrite or verify."""
        self.steps[name].observe(seconds)

    def queued(self, lane: str, texts: int) -> None:
        self._depth.labels(lane).set(texts)

    def waited(self, lane: str, seconds: float) -> None:
        self._queue_seconds.labels(lane).observe(seconds)

    def batched(self, lane: str, texts: int, seconds: float) -> None:
        self._batch_texts.labels(lane).observe(texts)
        self._batch_seconds.labels(lane).observe(seconds)

    def decided(self, surface: str, verdicts: Sequence[Verdict], policy: Policy) -> None:
        """Count verdicts by action, and the labels over their thresholds."""
        for verdict in verdicts:
            self._verdicts.labels(surface, verdict.direction, verdict.action).inc()
            if verdict.action == "allow":
                continue
            for label, rule in policy.rules(verdict.direction).items():
                if verdict.scores.get(label, 0.0) >= rule.threshold:
                    self._labels.labels(surface, label).inc()
            if verdict.rule.startswith("on.detector_error"):
                self.detector_failures.inc()

    def failed(self, surface: str, code: str) -> None:
        self._failures.labels(surface, code).inc()

    def page(self) -> bytes:
        """All figures, of all workers, in Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if not folder:
            return generate_latest(self.registry)
        for process in _dead(Path(folder)):
            mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
        whole = CollectorRegistry()
        MultiProcessCollector(whole, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(whole)


def _dead(folder: Path) -> set[int]:
    """Processes that left a gauge behind and are no more: a killed worker's queue is not waited in."""
    known = {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}
    return {process for process in known if not Path(f"/proc/{process}").exists() and not _alive(process)}


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
