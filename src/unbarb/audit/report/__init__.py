"""A signed report on a period of the record, for those who answer for it."""

from __future__ import annotations

from unbarb.audit.report.signed import check_report, write_report

__all__ = ["check_report", "write_report"]
