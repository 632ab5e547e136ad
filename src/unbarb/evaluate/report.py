"""A report on disk: ``report.json`` for machines, ``report.html`` for people."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from unbarb.errors import InputError
from unbarb.evaluate.page import page
from unbarb.evaluate.results import Report


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write both files into `folder`, made when missing, and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data, shown = folder / "report.json", folder / "report.html"
    data.write_text(as_json(report), encoding="utf-8")
    shown.write_text(page(report), encoding="utf-8")
    return data, shown


def read_report(path: Path) -> Report:
    """The report in ``report.json``, given the file or its folder.

    Raises:
        InputError: there is none, or it is not a report of this version.
    """
    path = path / "report.json" if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"no report at {path}; `unbarb evaluate` and `unbarb compare` write report.json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != 1:
            raise InputError(f"{path}: a report of schema {data['schema']}; this version reads 1")
        return Report.from_dict(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a report of unbarb ({type(error).__name__}: {error})") from error


def as_json(report: Report) -> str:
    """The report as JSON text; a number that is none (NaN, infinite) is ``null``, never 0."""
    return json.dumps(_finite(report.to_dict()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
