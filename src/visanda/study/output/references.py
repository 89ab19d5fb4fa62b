"""References: the papers behind the methods, as text and as BibTeX."""

from __future__ import annotations

from dataclasses import dataclass

ACCENTS = {"ü": r"{\"u}", "–": "--", "&": r"\&"}


@dataclass(frozen=True)
class Reference:
    """One paper.

    Attributes:
        key: for BibTeX.
        authors: "Family, I. J.", in order.
        year: of publication.
        title: with the capitals of the paper.
        journal: or proceedings, or the archive of a preprint with its number.
        kind: of the BibTeX entry.
        volume: of the journal; empty where there is none.
        issue: number within the volume.
        pages: from–to.
        doi: without the address in front.
        url: of what has no doi.
    """

    key: str
    authors: tuple[str, ...]
    year: int
    title: str
    journal: str
    kind: str = "article"
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    url: str = ""

    @property
    def short(self) -> str:
        """As cited in a sentence: ``Kluger et al., 2025``."""
        names = [author.split(",")[0] for author in self.authors]
        if len(names) > 3:
            return f"{names[0]} et al., {self.year}"
        return f"{' & '.join([', '.join(names[:-1]), names[-1]]) if names[1:] else names[0]}, {self.year}"

    def text(self) -> str:
        """In the list of references."""
        last = f" {'&' if self.authors[1:] else ''} {self.authors[-1]}".replace("  ", " ")
        authors = ", ".join(self.authors[:-1]) + ("," if self.authors[1:] else "") + last
        where = self.journal + (f", {self.volume}" if self.volume else "")
        where += (f"({self.issue})" if self.issue else "") + (f", {self.pages}" if self.pages else "")
        end = "" if self.title.endswith(("?", "!")) else "."
        address = f"https://doi.org/{self.doi}" if self.doi else self.url
        return f"{authors.strip()} ({self.year}). {self.title}{end} {where}." + (f" {address}" if address else "")

    def bibtex(self) -> str:
        """As a BibTeX entry; the capitals of the title are kept."""
        container = {"inproceedings": "booktitle", "unpublished": "note"}.get(self.kind, "journal")
        fields = {
            "author": " and ".join(self.authors),
            "title": f"{{{self.title}}}",
            container: self.journal,
            "year": str(self.year),
            "volume": self.volume,
            "number": self.issue,
            "pages": self.pages,
            "doi": self.doi,
            "url": self.url,
        }
        plain = ("doi", "url")  # are not set as text
        said = {name: value if name in plain else _tex(value) for name, value in fields.items() if value}
        lines = [f"  {name} = {{{value}}}," for name, value in said.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def bibtex(references: list[Reference]) -> str:
    """A .bib file of ``references``."""
    return "\n\n".join(reference.bibtex() for reference in references) + "\n"


def _tex(text: str) -> str:
    return "".join(ACCENTS.get(mark, mark) for mark in text)


DSL = Reference(
    "egami2023",
    ("Egami, N.", "Hinck, M.", "Stewart, B. M.", "Wei, H."),
    2023,
    "Using Imperfect Surrogates for Downstream Inference: Design-based Supervised Learning for Social Science "
    "Applications of Large Language Models",
    "Advances in Neural Information Processing Systems",
    kind="inproceedings",
    volume="36",
    url="https://proceedings.neurips.cc/paper_files/paper/2023/hash/"
    "d862f7f5445255090de13b825b880d59-Abstract-Conference.html",
)
DSL_GENERAL = Reference(
    "egami2024",
    ("Egami, N.", "Hinck, M.", "Stewart, B. M.", "Wei, H."),
    2024,
    "Using Large Language Model Annotations for the Social Sciences: A General Framework of Using Predicted Variables "
    "in Downstream Analyses",
    "Working paper",
    kind="unpublished",
    url="https://naokiegami.com/paper/dsl_ss.pdf",
)
CROSS_FITTING = Reference(
    "chernozhukov2018",
    (
        "Chernozhukov, V.",
        "Chetverikov, D.",
        "Demirer, M.",
        "Duflo, E.",
        "Hansen, C.",
        "Newey, W.",
        "Robins, J.",
    ),
    2018,
    "Double/debiased machine learning for treatment and structural parameters",
    "The Econometrics Journal",
    volume="21",
    issue="1",
    pages="C1–C68",
    doi="10.1111/ectj.12097",
)
PPI = Reference(
    "angelopoulos2023",
    ("Angelopoulos, A. N.", "Duchi, J. C.", "Zrnic, T."),
    2023,
    "PPI++: Efficient Prediction-Powered Inference",
    "arXiv:2311.01453",
    doi="10.48550/arXiv.2311.01453",
)
PTD = Reference(
    "kluger2025",
    ("Kluger, D. M.", "Lu, K.", "Zrnic, T.", "Wang, S.", "Bates, S."),
    2025,
    "Prediction-Powered Inference with Imputed Covariates and Nonuniform Sampling",
    "arXiv:2501.18577",
    doi="10.48550/arXiv.2501.18577",
)
ADJUSTED = Reference(
    "rogan1978",
    ("Rogan, W. J.", "Gladen, B."),
    1978,
    "Estimating prevalence from the results of a screening test",
    "American Journal of Epidemiology",
    volume="107",
    issue="1",
    pages="71–76",
    doi="10.1093/oxfordjournals.aje.a112510",
)
LIKELIHOOD = Reference(
    "teblunthuis2024",
    ("TeBlunthuis, N.", "Hase, V.", "Chan, C.-H."),
    2024,
    "Misclassification in Automated Content Analysis Causes Bias in Regression. Can We Fix It? Yes We Can!",
    "Communication Methods and Measures",
    volume="18",
    issue="3",
    pages="278–299",
    doi="10.1080/19312458.2023.2293713",
)
SIMEX = Reference(
    "kuchenhoff2006",
    ("Küchenhoff, H.", "Mwalili, S. M.", "Lesaffre, E."),
    2006,
    "A general method for dealing with misclassification in regression: The misclassification SIMEX",
    "Biometrics",
    volume="62",
    issue="1",
    pages="85–96",
    doi="10.1111/j.1541-0420.2005.00396.x",
)
SANDWICH = Reference(
    "white1980",
    ("White, H.",),
    1980,
    "A heteroskedasticity-consistent covariance matrix estimator and a direct test for heteroskedasticity",
    "Econometrica",
    volume="48",
    issue="4",
    pages="817–838",
    doi="10.2307/1912934",
)
ROBUST = Reference(
    "mackinnon1985",
    ("MacKinnon, J. G.", "White, H."),
    1985,
    "Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties",
    "Journal of Econometrics",
    volume="29",
    issue="3",
    pages="305–325",
    doi="10.1016/0304-4076(85)90158-7",
)
CLUSTERED = Reference(
    "liang1986",
    ("Liang, K.-Y.", "Zeger, S. L."),
    1986,
    "Longitudinal data analysis using generalized linear models",
    "Biometrika",
    volume="73",
    issue="1",
    pages="13–22",
    doi="10.1093/biomet/73.1.13",
)
SURVEY = Reference(
    "binder1983",
    ("Binder, D. A.",),
    1983,
    "On the variances of asymptotically normal estimators from complex surveys",
    "International Statistical Review",
    volume="51",
    issue="3",
    pages="279–292",
    doi="10.2307/1402588",
)
BIAS = Reference(
    "quenouille1956",
    ("Quenouille, M. H.",),
    1956,
    "Notes on bias in estimation",
    "Biometrika",
    volume="43",
    issue="3/4",
    pages="353–360",
    doi="10.1093/biomet/43.3-4.353",
)
DEGREES = Reference(
    "satterthwaite1946",
    ("Satterthwaite, F. E.",),
    1946,
    "An approximate distribution of estimates of variance components",
    "Biometrics Bulletin",
    volume="2",
    issue="6",
    pages="110–114",
    doi="10.2307/3002019",
)
HOLM = Reference(
    "holm1979",
    ("Holm, S.",),
    1979,
    "A simple sequentially rejective multiple test procedure",
    "Scandinavian Journal of Statistics",
    volume="6",
    issue="2",
    pages="65–70",
)
FALSE_DISCOVERY = Reference(
    "benjamini1995",
    ("Benjamini, Y.", "Hochberg, Y."),
    1995,
    "Controlling the false discovery rate: A practical and powerful approach to multiple testing",
    "Journal of the Royal Statistical Society: Series B (Methodological)",
    volume="57",
    issue="1",
    pages="289–300",
    doi="10.1111/j.2517-6161.1995.tb02031.x",
)
NEYMAN = Reference(
    "neyman1934",
    ("Neyman, J.",),
    1934,
    "On the two different aspects of the representative method: The method of stratified sampling and the method of "
    "purposive selection",
    "Journal of the Royal Statistical Society",
    volume="97",
    issue="4",
    pages="558–625",
    doi="10.2307/2342192",
)
EVERY = (
    DSL,
    DSL_GENERAL,
    CROSS_FITTING,
    PPI,
    PTD,
    ADJUSTED,
    LIKELIHOOD,
    SIMEX,
    SANDWICH,
    ROBUST,
    CLUSTERED,
    SURVEY,
    BIAS,
    DEGREES,
    HOLM,
    FALSE_DISCOVERY,
    NEYMAN,
)
