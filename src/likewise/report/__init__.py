"""Reports: pages about runs, made from what lies on disk."""

from likewise.report.page import write_page, write_report

__all__ = ["write_page", "write_report"]
