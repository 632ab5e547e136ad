"""What names, quantities and places of models must look like, each as a sentence on what is wrong.

Sources: https://kubernetes.io/docs/concepts/overview/working-with-objects/names (RFC 1123 labels) and
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Self
from urllib.parse import urlsplit

from unbarb.errors import ConfigError

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")
_SCALES = {"": 0, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_IMAGE = re.compile(r"[a-z0-9]+(?:[._:/-]+[A-Za-z0-9]+|__[a-z0-9]+)*(?:@sha256:[0-9a-f]{64})?")

LONGEST = 40
"""Characters of a service's name: others are made of it with an ending, and a label has at most 63."""

STORES = ("s3", "gs", "hf", "pvc", "oci", "https", "http", "hdfs", "webhdfs")
"""Schemes of places that KServe's storage initializer reads.

Source: https://kserve.github.io/website/docs/model-serving/storage/overview.
"""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when a known name is close, in small letters or large; else nothing."""
    names = {name.lower(): name for name in known}
    near = get_close_matches(given.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


def wrong_name(given: str, what: str, longest: int = 63) -> str | None:
    """Why `given` cannot be the name of a service: it becomes a host name (RFC 1035 label)."""
    if len(given) <= longest and _LABEL.fullmatch(given):
        return None
    near = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:longest].strip("-")
    near = re.sub(r"^[^a-z]+", "", near)
    hint = f"; {near!r} would do" if near and near != given else ""
    return (
        f"{what} {given!r}: give at most {longest} small letters, digits and hyphens, a letter"
        f" first and no hyphen last{hint}"
    )


def wrong_object_name(given: str, what: str) -> str | None:
    """Why `given` cannot be the name of an object such as a Secret (RFC 1123 subdomain)."""
    if len(given) <= 253 and _SUBDOMAIN.fullmatch(given):
        return None
    return f"{what} {given!r}: give small letters, digits, hyphens and dots"


def wrong_image(given: str, option: str) -> str | None:
    """Why `given` is no image of a container, with a tag or digest of its own."""
    if not _IMAGE.fullmatch(given):
        return f"{option} {given!r}: give REGISTRY/NAME:TAG"
    tail = given.rsplit("/", 1)[-1]
    if "@" not in tail and (":" not in tail or tail.endswith(":latest")):
        return f"{option} {given!r}: name a tag or digest, so that every replica runs the same; not latest"
    return None


def quantity(given: str) -> Decimal:
    """The number that a quantity stands for: "500m" is 0.5, "2Gi" is 2147483648.

    Raises:
        ConfigError: it is none, or not more than nothing.
    """
    found = _QUANTITY.fullmatch(given)
    if found is None:
        raise ConfigError(f"{given!r} is no quantity; give a number with m, k, M, G, T, Ki, Mi, Gi or Ti")
    number, unit = Decimal(found[1]), found[2] or ""
    if unit[:1] in ("e", "E") and len(unit) > 1 and unit != "Ei":
        value = number * Decimal(10) ** int(unit[1:])
    elif unit.endswith("i"):
        value = number * Decimal(1024) ** ("KMGTPE".index(unit[0]) + 1)
    else:
        value = number * Decimal(10) ** _SCALES[unit]
    if value <= 0:
        raise ConfigError(f"{given!r} is nothing; give more than 0")
    return value


def wrong_quantity(given: str, option: str, least: str, example: str) -> str | None:
    """Why `given` is no quantity of at least `least`."""
    try:
        found = quantity(given)
    except ConfigError as error:
        return f"{option} {error} such as {example}" if "no quantity" in str(error) else f"{option} {error}"
    if found < quantity(least):
        unit = "; 4 is four bytes, 4Gi what was meant?" if given.isdigit() and option == "--memory" else ""
        return f"{option} {given!r} is less than {least}{unit}"
    return None


def wrong_place(given: str, option: str) -> str | None:
    """Why `given` is no place that KServe fetches a model from."""
    parts = urlsplit(given)
    if parts.scheme not in STORES:
        hint = did_you_mean(parts.scheme, STORES) if parts.scheme else ""
        return (
            f"{option} {given!r}: give where the model is, as s3://BUCKET/PREFIX{hint}; others begin with "
            + (", ".join(f"{one}://" for one in STORES[1:]))
        )
    if not parts.netloc:
        return f"{option} {given!r}: the {'bucket' if parts.scheme == 's3' else 'name'} is missing"
    if "@" in parts.netloc or parts.query:
        return f"{option}: it holds a password or a signature; give the place alone, and name a Secret"
    if parts.scheme == "s3" and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        return f"{option} {given!r}: {parts.netloc!r} is no name of a bucket"
    if parts.scheme == "s3" and not parts.path.strip("/"):
        return f"{option} {given!r}: the prefix is missing; all of a bucket is no model"
    return None


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many copies run: at least, and at most."""

    least: int
    most: int

    @classmethod
    def parse(cls, given: str) -> Self:
        """``3`` or ``2-6``.

        Raises:
            ConfigError: it is neither, or the wrong way round.
        """
        found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", given)
        if found is None:
            raise ConfigError(f"--replicas {given!r}: give a number, as 2, or from and to, as 2-6")
        least, most = int(found[1]), int(found[2] or found[1])
        if not 1 <= least <= most:
            raise ConfigError(f"--replicas {given!r}: from 1 up, and the smaller number first")
        return cls(least, most)

    @property
    def scaled(self) -> bool:
        return self.most > self.least
