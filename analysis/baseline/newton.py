"""Newton's method for Poisson regressions on one set of nodes, for many responses at once: the refits inside simulations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..pattern import InputError

Array = NDArray[np.float64]
RUNS_OFF = "the log-linear model does not converge; a covariate's value without strikes sends its coefficient to infinity"


def poisson_newton(
    design: Array,
    response: Array,
    weight: Array,
    *,
    offset: Array | float = 0.0,
    tolerance: float = 1e-10,
) -> Array:
    """Maximise Σ y (Xβ + o) − Σ w exp(Xβ + o) for each row of responses.

    Parameters
    ----------
    design : (m, p) array
        Its first column must be constant.
    response : (B, m) array
        Strikes at each node, in each of B patterns.
    weight : (m,) array
        The area of each node.
    offset : (m,) array
    tolerance : float
        Steps end when the next would raise the objective by less than tolerance² of its size.

    Returns
    -------
    (B, p) array
        β for each response.

    Notes
    -----
    Steps are halved until the objective does not fall. Hessians of all responses come from one product of their intensities with the
    pairwise products of columns: cost B m p² a step, memory B m + m p². A coefficient without a maximum, as when no strike has a
    covariate's value, stops where the objective no longer moves, far off and with a curvature of next to nothing.

    Raises
    ------
    InputError
        If columns are collinear, in the design or where a coefficient runs off to, or it has not converged after 60 steps.
    """
    m, p = design.shape
    pairs = (design[:, :, None] * design[:, None, :]).reshape(m, p * p)
    beta = np.zeros((len(response), p))
    beta[:, 0] = np.log(np.maximum(response.sum(axis=1), 0.5) / (weight * np.exp(offset)).sum()) / design[0, 0]
    fixed = response @ design

    def objective(b: Array, rows: NDArray[np.intp]) -> tuple[Array, Array]:
        with np.errstate(over="ignore"):
            mass = weight * np.exp(b @ design.T + offset)
            value = (fixed[rows] * b).sum(axis=1) - mass.sum(axis=1)
        return value, mass

    active = np.arange(len(response))
    value, mass = objective(beta, active)
    for _ in range(60):
        gradient = fixed[active] - mass @ design
        hessian = (mass @ pairs).reshape(-1, p, p)
        try:
            step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            raise InputError("columns of the design are collinear, or a coefficient runs off to infinity") from None
        decrement = (gradient * step).sum(axis=1)
        size = np.ones(len(active))
        for _ in range(30):
            tried, tried_mass = objective(beta[active] + size[:, None] * step, active)
            worse = ~(tried >= value[active] - 1e-9 * np.abs(value[active]))
            if not worse.any():
                break
            size[worse] *= 0.5
        beta[active] += size[:, None] * step
        value[active] = tried
        going = decrement > tolerance**2 * np.maximum(1.0, np.abs(tried))
        if not going.any():
            return beta
        active, mass = active[going], tried_mass[going]
    raise InputError(RUNS_OFF)
