"""The report: one HTML file that a reader of the paper could follow, without any request to the network."""

from visanda.report.page import write_report

__all__ = ["write_report"]
