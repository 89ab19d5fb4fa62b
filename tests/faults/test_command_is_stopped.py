"""Ctrl-C in the first seconds, while libraries are read: one line, and no traceback."""

import os
import signal
import subprocess
import sys

import pytest

WAYS = {"module": ["-m", "visanda"], "script": ["-c", "from visanda.__main__ import main; main()"]}


@pytest.mark.parametrize("library", ["numpy", "pandas", "onnxruntime"])
@pytest.mark.parametrize("way", WAYS)
def test_stopped_while_libraries_are_read_it_says_so_in_a_line(way, library, tmp_path):
    process = subprocess.Popen(
        [sys.executable, *WAYS[way], "status"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},  # says each library as it is read
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if f" {library}." in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    said = [line for line in err.splitlines() if line and not line.startswith("import time:")]
    assert process.returncode == 130
    assert said == ["visanda: stopped before anything was done."] and not out
