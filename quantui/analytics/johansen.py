"""Johansen's test: how many combinations of the legs are stationary, and which, with no leg chosen as the dependent one.

Johansen, Econometrica 59 (1991). Critical values of MacKinnon, Haug & Michelis, Journal of Applied Econometrics 14 (1999), for an
unrestricted constant. Equals statsmodels' `coint_johansen(levels, 0, lags)`.
"""

from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Floats

LEVELS = ("90%", "95%", "99%")

# By the number of series less the rank tested, 1 to 12: 90, 95, 99 %
_TRACE = (
    (2.7055, 3.8415, 6.6349),
    (13.4294, 15.4943, 19.9349),
    (27.0669, 29.7961, 35.4628),
    (44.4929, 47.8545, 54.6815),
    (65.8202, 69.8189, 77.8202),
    (91.109, 95.7542, 104.9637),
    (120.3673, 125.6185, 135.9825),
    (153.6341, 159.529, 171.0905),
    (190.8714, 197.3772, 210.0366),
    (232.103, 239.2468, 253.2526),
    (277.374, 285.1402, 300.2821),
    (326.5354, 334.9795, 351.215),
)
_MAX_EIG = (
    (2.7055, 3.8415, 6.6349),
    (12.2971, 14.2639, 18.52),
    (18.8928, 21.1314, 25.865),
    (25.1236, 27.5858, 32.7172),
    (31.2379, 33.8777, 39.3693),
    (37.2786, 40.0763, 45.8662),
    (43.2947, 46.2299, 52.3069),
    (49.2855, 52.3622, 58.6634),
    (55.2412, 58.4332, 64.996),
    (61.2041, 64.504, 71.2525),
    (67.1307, 70.5392, 77.4877),
    (73.0563, 76.5734, 83.7105),
)


@dataclass(frozen=True, slots=True)
class Johansen:
    """The reduced-rank regression of each row of a batch of N series; NaN where it is singular."""

    eigenvalues: Floats
    """(P, N), descending."""
    vectors: Floats
    """(P, N, N) or, with the constant inside, (P, N, N + 1): cointegrating vectors in rows, the first entry of each 1."""
    speeds: Floats
    """(P, N, N) by vector: how fast each series corrects a gap of that vector, a share a bar."""
    errors: Floats
    """(P, N) or (P, N + 1) standard errors of the first vector's entries if the rank is 1; 0 for its first."""
    nobs: int
    """Rows of the regression."""

    @property
    def trace(self) -> Floats:
        """(P, N) statistics of rank 0, at most 1, ..."""
        return np.cumsum(self.max_eig[..., ::-1], -1)[..., ::-1]

    @property
    def max_eig(self) -> Floats:
        """(P, N) statistics of rank 0 against 1, 1 against 2, ..."""
        logs: Floats = -self.nobs * np.log1p(-self.eigenvalues)
        return logs


def johansen(levels: Floats, lags: int = 1, *, inside: bool = False) -> Johansen:
    """Reduced-rank regression of each row.

    Args:
        levels: (P, n, N) series, oldest first.
        lags: lagged differences.
        inside: the constant belongs to the relation (statsmodels' "ci") rather than to the drift; the published critical values
            are for the other case.
    """
    steps = np.diff(levels, axis=-2)
    rows = steps.shape[-2] - lags
    past = [steps[:, lags - lag : lags - lag + rows] for lag in range(1, lags + 1)]
    ones = np.ones((len(levels), rows, 1))
    level, step = levels[:, lags:-1], steps[:, lags:]
    known = past if inside else [ones, *past]
    if inside:
        level = np.concatenate((level, ones), -1)
    if known:
        basis = np.linalg.qr(np.concatenate(known, -1))[0]
        level, step = (part - basis @ (basis.mT @ part) for part in (level, step))
    return _solve(step.mT @ step / rows, step.mT @ level / rows, level.mT @ level / rows, rows)


def hedge(y: Floats, x: Floats, lags: int = 1) -> tuple[Floats, Floats, Floats]:
    """(alpha, beta, beta_se), each (P,): the first vector of each pair (P, n), normalised on y; the mean of its spread is 0."""
    centre_y, centre_x = y.mean(-1), x.mean(-1)
    test = johansen(np.stack((y - centre_y[:, None], x - centre_x[:, None]), -1), lags)
    beta: Floats = -test.vectors[:, 0, 1]
    return centre_y - beta * centre_x, beta, test.errors[:, 1]


def critical_values(series: int) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Critical values of the trace and of the largest eigenvalue for rank 0, at most 1, ...; up to 12 series."""
    trace, largest = ([dict(zip(LEVELS, row, strict=True)) for row in table[series - 1 :: -1]] for table in (_TRACE, _MAX_EIG))
    return trace, largest


def _solve(s00: Floats, s01: Floats, s11: Floats, rows: int) -> Johansen:
    """The eigenvalues of S10 S00^-1 S01 within S11, by Cholesky factors: symmetric, so real in any arithmetic."""
    try:
        outer, inner = np.linalg.inv(np.linalg.cholesky(s00)), np.linalg.inv(np.linalg.cholesky(s11))
    except np.linalg.LinAlgError:
        if len(s00) == 1:
            return _nothing(s00.shape[-1], s11.shape[-1], rows)
        each = [_solve(s00[row : row + 1], s01[row : row + 1], s11[row : row + 1], rows) for row in range(len(s00))]
        columns = zip(*((one.eigenvalues, one.vectors, one.speeds, one.errors) for one in each), strict=True)
        values, vectors, speeds, errors = (np.concatenate(column) for column in columns)
        return Johansen(values, vectors, speeds, errors, rows)
    middle = outer @ s01 @ inner.mT
    values, directions = np.linalg.eigh(middle.mT @ middle)
    count = s00.shape[-1]
    values = np.clip(values[:, : -count - 1 : -1], 0.0, 1.0 - 1e-15)
    vectors = (inner.mT @ directions).mT[:, : -count - 1 : -1]  # rows of unit length within S11
    with np.errstate(divide="ignore", invalid="ignore"):
        speeds = vectors @ s01.mT * vectors[..., :1]
        size = (1.0 - values[:, 0]) / values[:, 0] / rows / vectors[:, 0, 0] ** 2
        others = np.linalg.inv(s11[:, 1:, 1:])
        errors = np.sqrt(size[:, None] * np.diagonal(others, axis1=-2, axis2=-1))
        errors = np.concatenate((np.zeros((len(errors), 1)), errors), -1)
        return Johansen(values, vectors / vectors[..., :1], speeds, errors, rows)


def _nothing(series: int, width: int, rows: int) -> Johansen:
    empty = np.full((1, series), np.nan)
    return Johansen(
        empty, np.full((1, series, width), np.nan), np.full((1, series, series), np.nan), np.full((1, width), np.nan), rows
    )
