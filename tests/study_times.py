"""Small tables with times, for tests of what joins them."""

import pandas as pd


def units_at(*times, parent="a.mp4"):
    """Units of one recording: moments, or stretches as (start, stop), in seconds."""
    spans = [time if isinstance(time, tuple) else (time, time) for time in times]
    frame = pd.DataFrame(spans, columns=["start", "stop"]).astype(float)
    return frame.assign(id=[f"u{i}" for i in range(len(frame))], parent=parent)


def schedule(*rows, **columns):
    """Programmes of one recording, as (start, end, programme)."""
    return pd.DataFrame(rows, columns=["start", "end", "programme"]).assign(**{"parent": "a.mp4", **columns})
