"""What tests of the runner of videos share: reading its tables, and stopping it anywhere."""

import threading

import pytest

from visanda.errors import CorpusError
from visanda.parts import Parts

GOP = {"g": "10", "bf": "2"}
STREAMED = ("every", "change", "sevens", "volume")  # the measures of conftest.py that watch or listen


def table(corpus, name, where="true"):
    """A table in the order of time."""
    inside = "parent" in corpus.column_names(name)
    return corpus.frame(f'SELECT * FROM "{name}" WHERE {where} ORDER BY {"parent, start, stop, " if inside else ""}id')


def row(frame):
    """How many were measured, failed and were already there, of the one table measured."""
    return frame[["measured", "failed", "already there"]].iloc[0].tolist()


def killed(monkeypatch, corpus, parts, names=STREAMED):
    """Run until so many parts are written, and write nothing more."""
    left, lock = [parts], threading.Lock()
    real = Parts.append

    def append(self, rows, stem):
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise CorpusError("killed")
        real(self, rows, stem)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "append", append)
        with pytest.raises(CorpusError, match="killed"):
            corpus.measure(*names, workers=1)
