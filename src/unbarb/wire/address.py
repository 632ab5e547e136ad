"""What may be given as an endpoint's address, and where its key comes from."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def problems(url: str, key_from: str | None, example: str) -> list[str]:
    """What is wrong with an address and with the name of the variable that holds its key.

    A message never quotes what may be a key.

    Args:
        url: the address.
        key_from: the environment variable; None where no key is needed.
        example: an address that would do.
    """
    wrong = []
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        shown = repr(url) if "@" not in url else "it"
        wrong.append(f"url: {shown} is not http://… or https://…, such as {example}")
    if parts.username or parts.password:
        wrong.append(
            "url: it holds a password; put the key into an environment variable, and its name in key_from"
        )
    if key_from is not None and not _VARIABLE.fullmatch(key_from):
        wrong.append("key_from: not the name of an environment variable; the key itself belongs in one")
    elif key_from is not None and not os.environ.get(key_from):
        wrong.append("key_from: no environment variable of that name is set, or it is empty")
    return wrong
