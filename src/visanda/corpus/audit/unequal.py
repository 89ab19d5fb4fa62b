"""What an audit by groups adds: error rates of each, and what unequal ones do to shares."""

from __future__ import annotations

import pandas as pd

from visanda.corpus.audit.audited import Audited
from visanda.corpus.audit.grouping import Grouping
from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.bias.consequence import consequence
from visanda.study.bias.error_rates import bias
from visanda.units import Unit, parse

MOST_CLASSES = 3  # of several, those that the consequence for shares is worked out for, the commonest first


def unequal_errors(
    said: Audited,
    machine: pd.Series,
    hand: pd.Series,
    groups: Grouping,
    pi: pd.Series | None,
    probability: pd.DataFrame | None,
) -> dict[str, Result]:
    """Error rates by group, and for each column that is known of all units what errors do to shares; by name for files.

    Args:
        said: what is audited.
        machine: by id, the machine's classes of all units.
        hand: by id, hand codes.
        groups: what is compared.
        pi: by id, the probability of the draw of each unit that was coded; ``None`` where it is not known.
        probability: by id, the machine's probabilities of all units; ``None`` where there are none.
    """
    ids = hand.index
    columns = groups.columns.reindex(ids)
    rates = bias(
        machine.reindex(ids).rename(said.column),
        hand,
        columns,
        None if pi is None else 1 / pi.reindex(ids),
        probability=None if probability is None else probability.reindex(ids),
        crossed=groups.crossed,
        failed=said.failed.reindex(ids),
    )
    found = {"bias": rates}
    classes = rates.provenance["classes"]
    common = [name for name in hand.value_counts().index if name in classes][:MOST_CLASSES]
    for column in columns:
        if column not in groups.everywhere:
            rates.warnings.append(
                f"{column} is known of coded units only, so what errors do to shares by it is not: it would take it in "
                "media or in a table of all units."
            )
            continue
        for name in common:
            try:
                found[f"{column}-{name}"] = _moved(machine, hand, groups.columns[column], pi, probability, name)
            except (DesignError, InputError) as error:
                rates.warnings.append(f"What errors do to shares of {name} by {column} cannot be said: {error}")
    return found


def _moved(
    machine: pd.Series,
    hand: pd.Series,
    group: pd.Series,
    pi: pd.Series | None,
    probability: pd.DataFrame | None,
    name: str,
) -> Result:
    """The consequence for shares of a class; faces of one picture or frames of one video stay together."""
    label = (machine == name).astype(float).where(machine.notna())
    shares = label if probability is None or name not in probability else probability[name]
    data = pd.DataFrame({name: (hand == name).astype(float).reindex(machine.index), str(group.name): group})
    data = data.assign(**{"(machine)": shares, "(label)": label})
    files = [Unit(parse(id).name).id for id in machine.index]
    together = len(set(files)) < len(files)
    return consequence(
        data.assign(**{"file of the unit": files, "(pi)": None if pi is None else pi.reindex(machine.index)}),
        name,
        str(group.name),
        prediction="(machine)",
        label="(label)",
        sample_prob=None if pi is None else "(pi)",
        cluster="file of the unit" if together else None,
    )
