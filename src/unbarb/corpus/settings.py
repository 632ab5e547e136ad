"""What is asked of a run: all that decides what comes out, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from unbarb.errors import ConfigError
from unbarb.policy import Policy
from unbarb.text import DIRECTIONS, Direction


@dataclass(frozen=True, slots=True)
class Settings:
    """How rows are cleaned; plain values, so that it travels to any worker.

    `policy` is the whole policy as JSON; `columns` are the fields that hold texts, each a path as
    ``text`` or ``answer.text``; of chat messages only those of `roles` are read, all when it is None;
    `filter` drops the rows that would be changed.
    """

    policy: str
    columns: tuple[str, ...] = ("text",)
    roles: tuple[str, ...] | None = None
    id_column: str | None = None
    filter: bool = False
    direction: Direction = "none"

    @classmethod
    def of(
        cls,
        policy: str | Path | Policy = "default",
        columns: str | Sequence[str] | None = None,
        *,
        roles: str | Sequence[str] | None = None,
        id_column: str | None = None,
        filter: bool = False,
        direction: Direction = "none",
    ) -> Self:
        """Settings as people write them.

        Raises:
            ConfigError: the policy is not valid, or an option is; all that is wrong with options at once.
        """
        loaded = Policy.load(policy)
        named = _listed(columns) or ("text",)
        chosen = _listed(roles)
        problems = [
            f"{what} {name!r} is given twice; once is enough"
            for what, names in (("column", named), ("role", chosen or ()))
            for name in sorted({one for one in names if names.count(one) > 1})
        ]
        problems += ["a column's name is empty; name one"] if not all(named) else []
        if direction not in DIRECTIONS:
            problems.append(f"direction {direction!r} is none of {', '.join(DIRECTIONS)}")
        if problems:
            raise ConfigError("\n".join(problems))
        text = json.dumps(loaded.to_dict(), sort_keys=True, ensure_ascii=False)
        return cls(text, named, chosen, id_column, filter, direction)

    def load_policy(self) -> Policy:
        return Policy.parse(self.policy)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON types, the policy by its name and digest."""
        policy = self.load_policy()
        plain = {**asdict(self), "policy": {"name": policy.name, "digest": policy.digest}}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _listed(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return (given,) if isinstance(given, str) else tuple(given) if given else None


def digest_of(value: Any) -> str:
    """``sha256:…`` of plain JSON types, whatever the order of their keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + sha256(canonical.encode()).hexdigest()
