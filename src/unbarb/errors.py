"""Everything unbarb raises on purpose.

    UnbarbError
    ├── InputError          a row, file or argument that cannot be read
    ├── ConfigError         a policy, recipe or option that is not valid
    ├── PluginError         a named plug-in that does not exist or cannot be loaded
    │   └── MissingExtra    it needs a package that is not installed
    ├── ModelError          model files that are missing, damaged or of another version
    ├── DetectionError      a detector failed on a text; the policy says what happens then
    ├── RewriteError        a rewriter failed on a text; the policy says what happens then
    ├── EndpointError       a model that is served refused, failed or gave no usable answer
    ├── AuditError          the record of decisions cannot be written or read
    └── Withheld            a text that may not leave, where there is nothing to put in its place

Messages say what was given, what is allowed and what to do next.
"""

from __future__ import annotations

from typing import Self


class UnbarbError(Exception):
    """The root: catch this to catch everything unbarb raises on purpose."""


class InputError(UnbarbError):
    """A row, file or argument that cannot be read."""


class ConfigError(UnbarbError):
    """A policy, recipe or option that is not valid."""


class PluginError(UnbarbError):
    """A named plug-in that does not exist or cannot be loaded."""


class MissingExtra(PluginError):  # noqa: N818 - says what is wrong better than an -Error would
    """A feature needs a package that is not installed."""

    @classmethod
    def for_feature(cls, feature: str, package: str, extra: str) -> Self:
        return cls(f"{feature} needs the package {package!r}: pip install 'unbarb[{extra}]'")


class ModelError(UnbarbError):
    """Model files are missing, damaged or of another version."""


class DetectionError(UnbarbError):
    """A detector failed on a text; the policy says what happens then."""


class RewriteError(UnbarbError):
    """A rewriter failed on a text; the policy says what happens then."""


class EndpointError(UnbarbError):
    """A model that is served refused, failed or gave no usable answer."""


class AuditError(UnbarbError):
    """The record of decisions cannot be written or read; the policy says what happens then."""


class Withheld(UnbarbError):  # noqa: N818 - says what happened to the text
    """A text may not leave, and there is nothing to put in its place.

    Its words are what the user may be told, never the text. `verdicts` are the ids of those that say so.
    """

    def __init__(self, message: str, verdicts: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.verdicts = verdicts
