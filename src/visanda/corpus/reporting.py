"""Report: the whole study as one HTML file."""

from __future__ import annotations

from pathlib import Path

from visanda.corpus.estimating import Estimating


class Reporting(Estimating):
    """Report."""

    def report(self) -> Path:
        """Write it."""
        return self.results / "report.html"
