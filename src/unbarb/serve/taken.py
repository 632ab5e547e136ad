"""What a request's texts must be before they are judged: not too many, not too long, and Unicode."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.serve.batching import Item, Judged
from unbarb.serve.errors import Invalid, TooLarge
from unbarb.serve.settings import Settings

Context = str | Sequence[str | None] | None
"""One for all texts, or one for each."""


def taken(
    texts: Sequence[str], ids: Sequence[str | None] | None, context: Context, settings: Settings
) -> list[Item]:
    """Each text with its id and its context.

    Raises:
        Invalid: there are too many, not one id and one context for each, or one is no Unicode text.
        TooLarge: one is longer than `settings` allow.
    """
    most = settings.max_texts
    if len(texts) > most:
        raise Invalid(f"{len(texts)} texts at once; no more than {most} are taken: send them in parts")
    around = [context] * len(texts) if context is None or isinstance(context, str) else context
    names = [None] * len(texts) if ids is None else ids
    if not len(texts) == len(around) == len(names):
        raise Invalid(f"{len(texts)} texts, {len(names)} ids and {len(around)} contexts; give one each")
    items = [Item(*item) for item in zip(texts, names, around, strict=True)]
    check_unicode(items)
    for number, item in enumerate(items):
        if len(item.text) + len(item.context or "") > settings.max_text:
            # It would be read in one go, which nothing interrupts: everybody behind it would wait.
            raise TooLarge(
                f"text {number} with its context has more than {settings.max_text} characters; send it in"
                " parts, or as a stream"
            )
    return items


def check_unicode(items: Sequence[Judged]) -> None:
    """Refuse half of a surrogate pair, which no record could hold.

    Raises:
        Invalid: one of the texts has one.
    """
    for number, item in enumerate(items):
        try:
            item.text.encode()
        except UnicodeEncodeError as error:
            raise Invalid(
                f"text {number} is no Unicode text: half of a surrogate pair stands at {error.start}"
            ) from error
