"""Corpus: a folder that holds one study, and the verbs of its chapters."""

from visanda.corpus.adjudicating import Adjudicating
from visanda.corpus.agreeing import Agreeing
from visanda.corpus.applying import Applying
from visanda.corpus.associating import Associating
from visanda.corpus.auditing import Auditing
from visanda.corpus.coding import Coding
from visanda.corpus.collecting import Collecting
from visanda.corpus.describing import Describing
from visanda.corpus.estimating import Estimating
from visanda.corpus.evaluating import Evaluating
from visanda.corpus.exchanging import Exchanging
from visanda.corpus.explaining import Explaining
from visanda.corpus.exploring import Exploring
from visanda.corpus.identifying import Identifying
from visanda.corpus.measuring import Measuring
from visanda.corpus.paneling import Paneling
from visanda.corpus.planning import Planning
from visanda.corpus.processing import Processing
from visanda.corpus.redacting import Redacting
from visanda.corpus.reporting import Reporting
from visanda.corpus.retesting import Retesting
from visanda.corpus.sampling import Sampling
from visanda.corpus.sharing import Sharing
from visanda.corpus.training import Training
from visanda.corpus.tuning import Tuning
from visanda.corpus.watching import Watching

__all__ = ["Corpus"]


class Corpus(
    Sharing,
    Redacting,
    Auditing,
    Describing,
    Associating,
    Exchanging,
    Reporting,
    Agreeing,
    Paneling,
    Planning,
    Estimating,
    Applying,
    Explaining,
    Retesting,
    Evaluating,
    Tuning,
    Training,
    Adjudicating,
    Coding,
    Sampling,
    Identifying,
    Exploring,
    Watching,
    Measuring,
    Processing,
    Collecting,
):
    """A study in a folder: pictures, what was measured of them, what people said of them, and what follows.

    Args:
        folder: the corpus; the current folder by default, as in git. :meth:`init` makes one.

    Raises:
        CorpusError: there is no corpus there, it was made by a newer visanda, or it is damaged.

    Each verb is a method here and a command of the same name; what comes back is a pandas DataFrame or a
    :class:`visanda.result.Result`.
    """

    CHAPTERS = (
        Collecting,
        Processing,
        Measuring,
        Identifying,
        Watching,
        Exploring,
        Sampling,
        Coding,
        Adjudicating,
        Training,
        Tuning,
        Evaluating,
        Agreeing,
        Retesting,
        Explaining,
        Applying,
        Auditing,
        Describing,
        Associating,
        Estimating,
        Planning,
        Paneling,
        Reporting,
        Exchanging,
        Redacting,
        Sharing,
    )
