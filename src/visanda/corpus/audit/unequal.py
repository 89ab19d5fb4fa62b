"""What an audit by groups adds: error rates of each, and what unequal ones do to shares."""

from __future__ import annotations

import pandas as pd

from visanda.corpus.audit.audited import Audited
from visanda.corpus.audit.grouping import Grouping
from visanda.corpus.audit.held_against import Held
from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.bias.consequence import consequence
from visanda.study.bias.error_rates import bias
from visanda.study.estimating.choice import EQUAL

MACHINE, LABEL, PI = "(machine)", "(label)", "(pi)"  # no column that people have is called so
MOST_CLASSES = 3  # of several, those that the consequence for shares is worked out for, the commonest first


def unequal_errors(
    said: Audited, held: Held, groups: Grouping, together: pd.Series | None, assume_random: bool
) -> dict[str, Result]:
    """Error rates by group, and for each column that is known of all units what errors do to shares; by name for files.

    Args:
        said: what is audited.
        held: the machine's classes of all units, and hand codes.
        groups: what is compared.
        together: by id, the clusters of all units; ``None`` where each is alone.
        assume_random: the coded units are a simple random sample.
    """
    ids = held.hand.index
    columns = groups.columns.reindex(ids)
    rates = bias(
        held.machine.reindex(ids).rename(said.column),
        held.hand,
        columns,
        sample_prob="equal" if held.pi is None else held.pi,  # where it is not known, the audit has said so
        cluster=None if together is None else together.reindex(ids),
        probability=None if held.probability is None else held.probability.reindex(ids),
        crossed=groups.crossed,
        failed=said.failed.reindex(ids),
    )
    found = {"bias": rates}
    classes = rates.provenance["classes"]
    common = [name for name in held.hand.value_counts().index if name in classes][:MOST_CLASSES]
    for column in columns:
        if column not in groups.everywhere:
            rates.warnings.append(
                f"{column} is known of coded units only, so what errors do to shares by it is not: it would take it in "
                "media or in a table of all units."
            )
            continue
        for name in common:
            try:
                found[f"{column}-{name}"] = _moved(held, groups.columns[column], name, together, assume_random)
            except (DesignError, InputError) as error:
                rates.warnings.append(f"What errors do to shares of {name} by {column} cannot be said: {error}")
    return found


def _moved(held: Held, group: pd.Series, name: str, together: pd.Series | None, assume_random: bool) -> Result:
    """The consequence for shares of a class; what lies in one cluster, or else in one file, stays together."""
    machine, chances = held.machine, held.probability
    label = (machine == name).astype(float).where(machine.notna())
    data = pd.DataFrame(
        {
            name: (held.hand == name).astype(float).reindex(machine.index),
            str(group.name): group,
            MACHINE: label if chances is None or name not in chances else chances[name],
            LABEL: label,
            PI: None if held.pi is None else held.pi.reindex(machine.index),
        }
    )
    if together is not None:
        data[str(together.name)] = together
    return consequence(
        data,
        name,
        str(group.name),
        prediction=MACHINE,
        label=LABEL,
        sample_prob=PI if held.pi is not None else EQUAL if assume_random else None,
        cluster=None if together is None else str(together.name),
    )
