"""False alarms per identity group: how often a clean text that names a group is flagged.

The false positive rate of each group's clean texts, and the widest gap to the rate of all clean texts,
after Dixon et al. 2018 (https://doi.org/10.1145/3278721.3278729), "false positive equality difference";
where we differ: the largest gap instead of their sum, which grows with the number of groups.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from unbarb.errors import InputError

METRIC = "identity_false_alarms/1"


def clean_flags(
    flagged: Sequence[bool | None],
    toxic: Sequence[bool | None],
    groups: Sequence[Collection[str]],
    least: int = 1,
) -> dict[str, list[float | None]]:
    """By group, one entry for each of its clean texts: 1 flagged, 0 not, `None` unscored.

    Groups with fewer than `least` clean texts are left out: one flag of two is no rate.

    Raises:
        InputError: the three differ in length.
    """
    if not len(flagged) == len(toxic) == len(groups):
        raise InputError(
            f"{len(flagged)} decisions, {len(toxic)} truths, {len(groups)} groups; give one each"
        )
    found: dict[str, list[float | None]] = {}
    for flag, bad, names in zip(flagged, toxic, groups, strict=True):
        for name in names if bad is False else ():
            found.setdefault(name, []).append(None if flag is None else float(flag))
    return {name: flags for name, flags in sorted(found.items()) if len(flags) >= least}


def false_alarm_gap(
    flagged: Sequence[bool | None],
    toxic: Sequence[bool | None],
    groups: Sequence[Collection[str]],
    least: int = 1,
) -> float | None:
    """0…1, lower is better: the widest gap of a group's rate to that of all clean texts; `None` without."""
    by_group = clean_flags(flagged, toxic, groups, least)
    whole = _rate(
        [None if f is None else float(f) for f, b in zip(flagged, toxic, strict=True) if b is False]
    )
    rates = [rate for rate in map(_rate, by_group.values()) if rate is not None]
    return None if whole is None or not rates else max(abs(rate - whole) for rate in rates)


def _rate(flags: Sequence[float | None]) -> float | None:
    there = [flag for flag in flags if flag is not None]
    return sum(there) / len(there) if there else None
