"""Two models to lay out: one naive, one corrected."""

import numpy as np

from visanda.study.regression.coefficients import Estimates


def fitted(terms, b, se, n=900, n_coded=90):
    b, se = np.array(b, dtype=float), np.array(se, dtype=float)
    return Estimates(tuple(terms), b, se, np.diag(se**2), n, n_coded)


NAIVE = fitted(["Intercept", "x", "C(genre)[T.news & more]"], [0.5, -0.0894, 0.21], [0.1, 0.0311, 0.2], n_coded=0)
CORRECTED = fitted(["Intercept", "x", "np.log(likes_1)"], [0.4, 0.499, -1234.5], [0.1, 0.088, 600])
BOTH = {"(1) naive": NAIVE, "(2) corrected": CORRECTED}
