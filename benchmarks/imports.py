"""What ``import visanda`` costs, against importing scikit-learn's LogisticRegression: medians of whole processes."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "nothing": "pass",
    "import visanda": "import visanda",
    "LogisticRegression": "from sklearn.linear_model import LogisticRegression",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeat", type=int, default=15)
    given = arguments.parse_args()
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(given.repeat + 1):  # in turns; the first warms the disk
        for name, statement in STATEMENTS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(own[1:]) for name, own in times.items()}
    for name, value in median.items():
        print(f"{name:20} {value * 1000:7.0f} ms   {(value - median['nothing']) * 1000:7.0f} ms beyond Python itself")
    ratio = (median["import visanda"] - median["nothing"]) / (median["LogisticRegression"] - median["nothing"])
    print(f"import visanda costs {ratio:.3f} of importing LogisticRegression")


if __name__ == "__main__":
    main()
