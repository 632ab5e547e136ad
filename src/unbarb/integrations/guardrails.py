"""The guard as a validator of Guardrails AI, whose fix is a verified rewrite.

See docs/integrations/guardrails.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unbarb.audit.event import new_id
from unbarb.audit.protocol import Log
from unbarb.errors import MissingExtra
from unbarb.guard import Guard
from unbarb.integrations.recorded import Recorded
from unbarb.policy.rules import NOTICE
from unbarb.text import Direction, Verdict

try:
    from guardrails.validator_base import Validator, register_validator
    from guardrails_ai.types import ErrorSpan, FailResult, PassResult, ValidationResult
except ModuleNotFoundError as error:
    raise MissingExtra.for_feature(
        "unbarb.integrations.guardrails", error.name or "guardrails", "guardrails"
    ) from error


@register_validator(name="unbarb/civil", data_type="string")
class Civil(Validator):  # type: ignore[misc]
    """Fails texts that the policy changes or withholds; with ``on_fail="fix"`` they become what may leave.

    The fix is the verified rewrite, or the policy's words where the text may not leave at all. The spans of
    an error are those that the guard found, in code points of the text that was given. The result's
    metadata hold the id, action and rule of the verdict. Nothing is fetched: the model is the guard's own.

    Args:
        guard: what decides; the default policy's when left out.
        direction: "output" for what a model says, "input" for what it is told.
        audit: the record of decisions; default none.
        on_fail: what Guardrails does with a text that fails: "fix", "exception", "noop", "refrain"…

    Raises:
        ConfigError: the guard only checks.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        direction: Direction = "output",
        audit: Log | None = None,
        on_fail: str | Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(on_fail=on_fail, use_local=True)
        self._recorded = Recorded(guard or Guard(), audit, "guardrails")
        self._direction: Direction = direction

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        """The result for one text, or for one sentence of a stream."""
        (verdict,) = self._recorded.batch([value], direction=self._direction, request=new_id())
        told = {"id": verdict.id, "action": verdict.action, "rule": verdict.rule}
        if verdict.text == value:
            return PassResult(metadata=told)
        return FailResult(
            error_message=_reason(verdict),
            fix_value=verdict.message or NOTICE if verdict.text is None else verdict.text,
            error_spans=[
                ErrorSpan(start=one.start, end=one.end, reason=one.label) for one in verdict.findings
            ],
            metadata=told,
        )


def _reason(verdict: Verdict) -> str:
    """Why a text failed, in words that hold nothing of it."""
    if verdict.text is None:
        return verdict.message or NOTICE
    labels = ", ".join(sorted({one.label for one in verdict.findings})) or verdict.rule
    return f"the text was found to hold: {labels}"
