"""How far a study has come: its tables and their failures, codes, models, and what is due."""

from __future__ import annotations

import pandas as pd

from visanda.corpus.share.retention import reminder
from visanda.result import Result
from visanda.store import Store, quoted


def state_of(store: Store) -> Result:
    """A row a table, with its failures and how it was made; in words the first errors, and what was coded."""
    rows = []
    for table in store.tables():
        failed = "count(error)" if "error" in store.column_names(table) else "0"
        counts = store.query(f"SELECT count(*) AS n, {failed} AS failed FROM {quoted(table)}").to_pylist()[0]
        made = store.describe(table)
        given = ", ".join(f"{name}={value}" for name, value in made.get("arguments", {}).items() if value is not None)
        rows.append((table, counts["n"], counts["failed"], given))
    frame = pd.DataFrame(rows, columns=["table", "rows", "failed", "arguments"])
    words = [] if rows else ["Nothing is here yet: add pictures or videos with 'visanda add FOLDER'."]
    if rows:
        errors = store.frame("SELECT id, error FROM media WHERE error IS NOT NULL ORDER BY id LIMIT 5")
        words += [f"{row.id}: {row.error}" for row in errors.itertuples()]
    words += _said_of_codes(store)
    return Result(f"{store.name} in {store.folder}", frame, words, reminder(store))


def _said_of_codes(store: Store) -> list[str]:
    words = []
    for folder in sorted((store.folder / "codes").glob("*")):
        coders = ", ".join(path.stem for path in sorted(folder.glob("*.csv")))
        trained = "; a model is trained" if (store.models / folder.name).exists() else ""
        words.append(f"Coded: {folder.name} by {coders}{trained}.")
    return words
