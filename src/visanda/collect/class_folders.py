"""Class folders: pictures sorted into a folder a value, as data sets for classifiers come."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from visanda.collect.folder import PICTURES, SPLITS, find
from visanda.errors import InputError
from visanda.progress import progress


def read_class_folders(folder: Path) -> pd.DataFrame:
    """The pictures in ``folder/<value>/``, or ``folder/train/<value>/`` and the like.

    Returns:
        A row a file, by path: key (its path inside ``folder``), name (the file's own name; empty where other files are
        called so too), value (the folder's name), sha256 (of the content).

    Raises:
        InputError: there are no pictures in folders of a value.
    """
    rows = []
    files = [one for one in find([folder]).found if one.path.suffix.lower() in PICTURES]
    with progress("reading class folders", len(files)) as advance:
        for one in files:
            classes = one.folders[1:] if one.folders and one.folders[0].lower() in SPLITS else one.folders
            if classes:
                with one.path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                rows.append(("/".join([*one.folders, one.path.name]), one.path.name, classes[0], digest))
            advance()
    if not rows:
        raise InputError(f"{folder} has no pictures in folders of a value, as in {folder.name}/yes/a.jpg")
    found = pd.DataFrame(rows, columns=["key", "name", "value", "sha256"])
    found.loc[found["name"].duplicated(keep=False), "name"] = ""
    return found
