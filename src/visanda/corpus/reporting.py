"""Report: the whole study as one HTML file."""

from __future__ import annotations

from pathlib import Path

from visanda.report import write_report
from visanda.store import Store


class Reporting(Store):
    """Report."""

    def report(self, *, out: Path | None = None) -> Path:
        """Write one HTML file: data and losses, measures, clusters, codes, validity, estimates, methods.

        Args:
            out: the file; ``results/report.html`` by default.

        Returns:
            The file. It holds its pictures and makes no request to the network.
        """
        with self.record("report", {"out": out and str(out)}):
            return write_report(self, Path(out) if out else self.results / "report.html")
