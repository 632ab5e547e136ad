"""What is fetched from the hub or a folder; what goes wrong there, said with what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from unbarb.errors import ConfigError, InputError
from unbarb.train.schema import ModelPart

T = TypeVar("T")


def fetched(part: ModelPart, fetch: Callable[[], T]) -> T:
    """What `fetch` gives of the base that `part` names.

    Raises:
        ConfigError: there is no such folder or model, or it needs what is not installed.
        InputError: the hub cannot be reached, or the disk is full.
    """
    looks_local = part.name.startswith((".", "/", "~")) or part.name.count("/") > 1
    if looks_local and not Path(part.name).is_dir():
        raise ConfigError(
            f"model.name {part.name}: no such folder; give one, or a name of the hub as org/name"
        )
    try:
        return fetch()
    except (OSError, ValueError, ImportError) as error:
        raise _told(part, error) from error


def _told(part: ModelPart, error: Exception) -> Exception:
    """The error of the hub's libraries in our words."""
    what = f"model.name {part.name}" + (f", revision {part.revision}" if part.revision else "")
    chain = _causes(error)
    if any(getattr(one, "errno", None) == errno.ENOSPC or "No space left" in str(one) for one in chain):
        return InputError(
            f"{what}: the disk is full; make room, or set HF_HOME to a folder on another disk"
        )
    if isinstance(error, ImportError):
        return ConfigError(f"{what}: {error}")
    if any(isinstance(one, RepositoryNotFoundError) for one in chain):
        return ConfigError(
            f"{what}: the hub has no such model, or not for you; check the name, or `hf auth login`"
        )
    unreachable = any(
        isinstance(one, LocalEntryNotFoundError | HfHubHTTPError | ConnectionError) for one in chain
    )
    if unreachable and not Path(part.name).is_dir():
        return InputError(
            f"{what}: the hub cannot be reached and the model is not in the cache; fetch it where there is"
            " a network (`hf download`), copy it here and name its folder"
        )
    return ConfigError(f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
