"""OpenTelemetry traces of what the guard decided; optional, and without text, user or key.

Every name that the conventions may still move stands in `Names` alone. Sources: the OpenTelemetry semantic
conventions for generative AI, event ``gen_ai.evaluation.result``; and the proposed guardrail span.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from unbarb import __version__
from unbarb.text import Verdict

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


class Names:
    """Names of spans, events and attributes; the ``gen_ai`` ones are in development."""

    SPAN: Final = "run_guardrail unbarb"
    OPERATION: Final = "gen_ai.operation.name"
    RUN_GUARDRAIL: Final = "run_guardrail"
    ACTION: Final = "gen_ai.security.action.type"
    POLICY: Final = "gen_ai.security.policy.name"
    POLICY_VERSION: Final = "gen_ai.security.policy.version"
    EVALUATION: Final = "gen_ai.evaluation.result"
    EVALUATION_NAME: Final = "gen_ai.evaluation.name"
    SCORE: Final = "gen_ai.evaluation.score.value"
    SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
    ERROR: Final = "error.type"
    SURFACE: Final = "unbarb.surface"
    REQUEST: Final = "unbarb.request.id"
    TEXTS: Final = "unbarb.texts"


SEVERITY: Final = ("allow", "flag", "rewrite", "mask", "route", "block")


class Tracing:
    """Spans of guarding, or nothing at all when there is no tracer."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer

    @classmethod
    def on(cls) -> Tracing:
        """With the tracer provider that the process or its agent has set up."""
        from opentelemetry import trace

        return cls(trace.get_tracer("unbarb", __version__))

    @contextmanager
    def guarding(self, surface: str, request: str) -> Iterator[Guarding]:
        """A span round the judging of one request's texts."""
        if self._tracer is None:
            yield _SILENT
            return
        given = {
            Names.OPERATION: Names.RUN_GUARDRAIL, Names.SURFACE: surface, Names.REQUEST: request,
        }  # fmt: skip
        with self._tracer.start_as_current_span(
            Names.SPAN, attributes=given, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield Guarding(span)
            except BaseException as error:
                # The class alone: a message may quote what was sent.
                span.set_attribute(Names.ERROR, type(error).__name__)
                raise


class Guarding:
    """What is told of one judging."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def decided(self, verdicts: Sequence[Verdict]) -> None:
        """The strictest action, the policy, and an event for each label's highest score."""
        if self._span is None or not verdicts:
            return
        strictest = max(verdicts, key=lambda verdict: SEVERITY.index(verdict.action))
        self._span.set_attributes(
            {
                Names.ACTION: strictest.action,
                Names.POLICY: strictest.policy["name"],
                Names.POLICY_VERSION: strictest.policy["digest"],
                Names.TEXTS: len(verdicts),
            }
        )
        for label, score in sorted(strictest.scores.items()):
            self._span.add_event(
                Names.EVALUATION,
                {
                    Names.EVALUATION_NAME: label,
                    Names.SCORE: score,
                    Names.SCORE_LABEL: strictest.action,
                },
            )


_SILENT = Guarding()
