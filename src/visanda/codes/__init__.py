"""Codes: what people said of pictures, one append-only CSV a coder; and the samples that they were asked about.

``codes/<variable>/<coder>.csv`` holds id, variable, coder, value, time, note, and the version of the codebook that the
code was given under: merged by copying, readable in twenty years. ``samples/<variable>.parquet`` holds every unit of
the population that was sampled from, with its inclusion probability.
"""

from visanda.codebook import NO, YES, check_name, column_name
from visanda.codes.deciding import GOLD, decide, given, gold, gold_of, independent, positive, tidied, undecided, unfit
from visanda.codes.designs import read_design, same_sample, shared_rounds, variable_frame, write_design
from visanda.codes.files import FIELDS, append, every_code, in_force, latest, read, read_coder, variables

__all__ = [
    "FIELDS",
    "GOLD",
    "NO",
    "YES",
    "append",
    "check_name",
    "column_name",
    "decide",
    "every_code",
    "given",
    "gold",
    "gold_of",
    "in_force",
    "independent",
    "latest",
    "positive",
    "read",
    "read_coder",
    "read_design",
    "same_sample",
    "shared_rounds",
    "tidied",
    "undecided",
    "unfit",
    "variable_frame",
    "variables",
    "write_design",
]
