"""Rival explanations of strikes reported near a site, compared by likelihood ratios that never become a probability of intent.

References
----------
ENFSI (2015). Guideline for evaluative reporting in forensic science, approved version 3.0. European Network of Forensic Science Institutes.
Lindley, D. V. (1977). A problem in forensic science. Biometrika 64, 207-213.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from ..inference import to_json
from ..pattern import InputError, Intensity, label_codes
from .cep import CepPrior
from .miss import NORMAL, Aim, Spread, _positive

Array = NDArray[np.float64]
SITE, DEBRIS, WRONG, BACKGROUND = "aim at the site", "debris", "wrong address", "background"
EITHER, UNDECIDED = "debris or background", "not identifiable"
DEBRIS_SCALE_M = 2000.0  # standard deviation on each axis of what falls from an interception on the way to a place aimed at
WRONG_ADDRESS_M = 250.0  # a weapon sent to some other building, any within this of the site
ERRORS_M = (0.0, 30.0, 60.0, 100.0, 150.0, 300.0, 1000.0)
TINY = 1e-300  # where a density vanishes to rounding
RARE = 1e-3  # a place from which fewer weapons come within the disc explains nothing there: hundreds would have to have gone elsewhere
SCALE = ((2, "no support for either over the other"), (10, "weak support"), (100, "moderate support"), (1000, "moderately strong support"),
         (1e4, "strong support"), (1e6, "very strong support"), (np.inf, "extremely strong support"))  # fmt: skip
SCALE_SOURCE = "verbal scale of ENFSI (2015), Guideline for evaluative reporting in forensic science, approved version 3.0"
DECIDED = 10.0  # an explanation is concluded when it has at least moderate support over every rival


def verbal(ratio: float) -> str:
    """Put a likelihood ratio, at least 1, in the words of the published scale. A ratio below 2 supports neither.

    Examples
    --------
    >>> verbal(114.0)
    'moderately strong support'
    """
    return next(words for limit, words in SCALE if ratio < limit or limit == np.inf)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Hold the likelihoods of some strikes under each explanation, given that they were reported within ``disc_radius`` of the site.

    ``log_likelihood`` (k,) is averaged over the prior of the CEP, one strike's worth for each attack, in the order of ``names``; only its
    differences mean anything. ``along_cep`` (k, c) takes every weapon's CEP as known, ``along_error`` (k, e) every location error.
    ``pairs`` and ``sets`` hold the ratio of ``of`` over ``against``, its range along the published CEPs, words, and why not identifiable.
    """

    strikes: int
    attacks: int
    disc_radius: float
    names: tuple[str, ...]
    log_likelihood: Array
    cep: Array
    along_cep: Array
    errors: Array
    along_error: Array
    pairs: tuple[dict[str, Any], ...]
    sets: tuple[dict[str, Any], ...]
    conclusion: str
    reason: str

    def ratio(self, of: str, against: str) -> float:
        """Give the likelihood ratio of one explanation over another."""
        i, j = self.names.index(of), self.names.index(against)
        return float(np.exp(np.clip(self.log_likelihood[i] - self.log_likelihood[j], -690, 690)))

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


@dataclass(frozen=True, eq=False)
class Rivals:
    """Hold what could have put strikes near a site: the site, aim points beside it, debris, another building, and the background.

    ``aim_points`` are those near enough to matter; ``sources`` (k, 2) all places around which debris falls, the site among them. The
    background is λ0, taken as so smooth that over a disc neither a location error nor the strikes in question change its shape.
    """

    site: Aim
    aim_points: tuple[Aim, ...]
    background: Intensity
    sources: Array
    spread: Spread = NORMAL

    def apart(self) -> tuple[Aim, ...]:
        """Give the aim points with those left out whose centre lies within another's area."""
        kept: list[Aim] = []
        for aim in sorted(self.aim_points, key=lambda a: -a.radius):
            if all(np.hypot(aim.easting - other.easting, aim.northing - other.northing) > other.radius for other in kept):
                kept.append(aim)
        return tuple(sorted(kept, key=lambda a: self.gap(a)))

    def gap(self, aim: Aim) -> float:
        """Give the distance from the site to the edge of an aim point."""
        return max(0.0, float(np.hypot(aim.easting - self.site.easting, aim.northing - self.site.northing)) - aim.radius)

    def aims(self) -> dict[str, Aim]:
        """Give the explanations in which something near was aimed at, by name."""
        other = Aim(WRONG, self.site.easting, self.site.northing, WRONG_ADDRESS_M, self.site.error)
        return {SITE: self.site, **{f"aim at {aim.name}": aim for aim in self.apart()}, WRONG: other}

    def debris(self, easting: Array, northing: Array, error: Array) -> Array:
        """Give the density (1/m², the window's edge left aside) of debris at reported positions."""
        v = (DEBRIS_SCALE_M**2 + error**2)[:, None]
        squared = (easting[:, None] - self.sources[:, 0]) ** 2 + (northing[:, None] - self.sources[:, 1]) ** 2
        return np.asarray((np.exp(-0.5 * squared / v) / (2 * np.pi * v)).mean(axis=1))

    def ambient(self, easting: Array, northing: Array) -> Array:
        """Give the density of the background."""
        grid = self.background.grid
        return np.maximum(grid.interpolate(self.background.values, easting, northing) / self.background.total, TINY)


def _shared(aim: Aim) -> list[tuple[float, Aim]]:
    """Give an aim point at the places where its centre may be, with weights: one unknown place, the same for all attacks.

    Of a point the error is folded in strike by strike instead: it is small beside that of the strikes.
    """
    if aim.radius == 0 or aim.error == 0 or aim.name == WRONG:
        return [(1.0, aim)]
    x, w = np.polynomial.hermite.hermgauss(7)
    x = np.sqrt(2) * aim.error * x
    both = [(a * b / np.pi, aim.easting + u, aim.northing + v) for a, u in zip(w, x, strict=True) for b, v in zip(w, x, strict=True)]
    return [(weight, replace(aim, easting=u, northing=v, error=0.0)) for weight, u, v in both if weight > 1e-3]


class Likelihoods:
    """Evaluate strikes under every explanation, given that they lie within a disc of the site; the disc's masses are kept.

    Cost: strikes × CEPs × places an aim point's centre may be.
    """

    def __init__(self, rivals: Rivals, disc_radius: float) -> None:
        self.rivals, self.radius = rivals, float(_positive("disc_radius", disc_radius))
        self.aims = rivals.aims()
        self.names = (*self.aims, DEBRIS, BACKGROUND)
        disc = replace(rivals.site, radius=self.radius).nodes(self.radius / 10)
        self._disc = disc[:, 0], disc[:, 1]
        self._copies = {name: _shared(aim) for name, aim in self.aims.items()}
        self._mass: dict[tuple[str, int, float, bytes], Array] = {}

    def _within(self, name: str, q: int, aim: Aim, cep: Array, errors: Array) -> Array:
        """Give the log mass (c, n) in the disc, computed once for each location error."""
        for error in np.unique(errors):
            if (name, q, error, cep.tobytes()) not in self._mass:
                mass = aim.mass(self.rivals.site, self.radius, cep, error, self.rivals.spread)
                self._mass[name, q, error, cep.tobytes()] = np.log(np.maximum(mass, TINY))
        return np.hstack([self._mass[name, q, error, cep.tobytes()] for error in errors])

    def evaluate(
        self, easting: Array, northing: Array, error: Array, attack: NDArray[np.intp], cep: Array, weight: Array
    ) -> tuple[Array, Array]:
        """Give log-likelihoods (k,) averaged over the CEP, and (k, c) along it.

        Of n strikes, each at m equally likely positions (n, m), with CEPs (c,) and their prior for each strike (c, n).
        """
        n, m = easting.shape
        mean = np.zeros((n, attack.max() + 1))
        mean[np.arange(n), attack] = 1 / np.bincount(attack)[attack]
        prior = np.log(np.maximum(weight @ mean, TINY))
        flat_e, flat_n, flat_error = easting.ravel(), northing.ravel(), np.repeat(error, m)
        total, along = [], []
        for name, copies in self._copies.items():
            over, at = [], []
            for q, (share, aim) in enumerate(copies):
                density = aim.density(flat_e, flat_n, cep, flat_error, self.rivals.spread).reshape(len(cep), n, m).mean(axis=2)
                seen = np.log(np.maximum(density, TINY)) @ mean
                inside = self._within(name, q, aim, cep, error) @ mean
                over.append(np.log(share) + _given(logsumexp(seen + prior, axis=0), logsumexp(inside + prior, axis=0)).sum())
                at.append(np.log(share) + _given(seen, inside).sum(axis=1))
            total.append(logsumexp(over))
            along.append(logsumexp(at, axis=0))
        for density, around in (
            (self.rivals.debris(flat_e, flat_n, flat_error), self.rivals.debris(*self._disc, np.zeros(1))),
            (self.rivals.ambient(flat_e, flat_n), self.rivals.ambient(*self._disc)),
        ):  # the CEP does not enter
            share = np.maximum(density.reshape(n, m).mean(axis=1), TINY) / (around.mean() * np.pi * self.radius**2)
            value = float((np.log(share) @ mean).sum())
            total.append(value)
            along.append(np.full(len(cep), value))
        return np.array(total), np.array(along)


def compare_explanations(
    easting: ArrayLike,
    northing: ArrayLike,
    at: Likelihoods,
    prior: CepPrior | Sequence[CepPrior],
    *,
    error: ArrayLike,
    attack: ArrayLike | None = None,
    levels: Sequence[float] = ERRORS_M,
) -> Comparison:
    """Compare what explains strikes that were noticed for lying near a site.

    Answers: how many times better does aim at the site predict where these strikes were reported, than aim at what stands beside it,
    debris, another building's address, or the background? Strikes enter because they lie within a disc about it, so every explanation
    is conditioned on that; without it a near strike, chosen for being near, would count against the background every time.

    Parameters
    ----------
    easting, northing : (n,) or (n, m) arrays
        Reported positions; with m, as many equally likely ones (a claimed distance in an unknown direction).
    at : Likelihoods
        The rivals and the disc.
    prior : CepPrior, or one for each strike
    error : (n,) array or float
        Standard deviation of each reported position on each axis.
    attack : (n,) labels, optional
        Default: one attack each.
    levels : sequence of float
        Location errors at which the comparison is repeated.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        For no strikes, positions that are not finite, unequal lengths, a strike without an attack, or a negative error.

    Notes
    -----
    The log-densities of an attack's strikes are averaged, so that a salvo counts as one strike: its strikes share weapon, coordinates and
    reporter, and how far they depend on each other is not known. They share one CEP; attacks have their own. An aim point's unknown
    centre is one and the same in all attacks. "Not identifiable": an aim point within the location error of the site, or around it; a
    ratio below 2 either way; for a single attack, one that turns about within the published CEPs. Concluded is what is DECIDED times better
    than every rival and identifiable.
    """
    e, y = np.asarray(easting, float), np.asarray(northing, float)
    e, y = (e[:, None], y[:, None]) if e.ndim == 1 and y.ndim == 1 else (e, y)
    if e.shape != y.shape or e.ndim != 2 or e.size == 0:
        raise InputError("must be arrays of one shape with at least one strike", column="easting", value=e.shape)
    if not (np.isfinite(e).all() and np.isfinite(y).all()):
        raise InputError("must be finite numbers", column="easting")
    n, names = len(e), at.names
    errors = _positive("error", error, zero=True)
    code = np.arange(n) if attack is None else label_codes(attack, n)
    priors = [prior] * n if isinstance(prior, CepPrior) else list(prior)
    if errors.shape not in ((), (n,)) or len(priors) != n:
        raise InputError("every strike needs an error and a prior", value=(errors.shape, len(priors)))
    errors = np.broadcast_to(errors, (n,))
    cep, weight = priors[0].cep, np.array([p.weight for p in priors]).T
    total, along = at.evaluate(e, y, errors, code, cep, weight)
    along_error = np.array([at.evaluate(e, y, np.full(n, s), code, cep, weight)[0] for s in levels]).reshape(len(levels), len(total)).T
    published = weight.any(axis=1)
    attacks = int(code.max()) + 1
    blur = float(np.sqrt((errors**2).mean() / attacks))

    def entry(of: str, against: str, difference: float, run: Array, reason: str = "") -> dict[str, Any]:
        low, high = float(run[published].min()), float(run[published].max())
        if not reason and attacks == 1 and low < -np.log(2) and high > np.log(2):
            reason = "it turns about within the published CEPs"
        if not reason and abs(difference) < np.log(2):
            reason = "both predict these positions almost alike"
        ratio, low, high = (float(np.exp(np.clip(x, -690, 690))) for x in (difference, low, high))
        words = verbal(max(ratio, 1 / ratio)) + ("" if 1 / 2 < ratio < 2 else f" for {of if ratio > 1 else against}")
        return {"of": of, "against": against, "ratio": ratio, "low": low, "high": high, "words": words, "reason": reason}

    def near(name: str) -> str:
        aim = at.aims.get(name)
        if aim is None or name in (SITE, WRONG):
            return ""
        gap, reach = at.rivals.gap(aim), float(np.hypot(blur, aim.error))
        if gap == 0:
            return f"the site stands within the area of {aim.name}"
        far = f"the edge of {aim.name} is {gap:.0f} m from the site, which these positions tell apart only to {reach:.0f} m"
        return far if gap < reach else ""

    pairs = tuple(entry(SITE, name, total[0] - total[k], along[0] - along[k], near(name)) for k, name in enumerate(names) if k)
    groups = [
        (SITE, "any of the others", [0], list(range(1, len(names)))),
        ("aim at anything near", EITHER, list(range(len(names) - 2)), [len(names) - 2, len(names) - 1]),
    ]
    sets = tuple(
        entry(of, against, float(_mix(total[i]) - _mix(total[j])), _mix(along[i]) - _mix(along[j])) for of, against, i, j in groups
    )
    # debris and background are one answer: near the site both are flat, and no number of strikes tells them apart
    answers, value = [*names[:-2], EITHER], np.append(total[:-2], _mix(total[-2:]))
    best = int(np.argmax(value))
    involved = [pair for pair in pairs if answers[best] == SITE or pair["against"] == answers[best]]
    reasons = [near(pair["against"]) or (pair["reason"] if "turns" in pair["reason"] else "") for pair in involved]
    if value[best] - np.delete(value, best).max() < np.log(DECIDED):
        reasons.append(f"no explanation is {DECIDED:g} times better than every other")
    reason = next((r for r in reasons if r), "")
    return Comparison(
        n, attacks, at.radius, names, total, cep, along, np.asarray(levels, float), along_error, pairs, sets,
        UNDECIDED if reason else answers[best], reason,
    )  # fmt: skip


def _given(seen: Array, inside: Array) -> Array:
    """Condition log-densities on lying in the disc."""
    return np.where(inside < np.log(RARE), np.log(TINY), seen - inside)


def _mix(values: Array) -> Array:
    """Average likelihoods with equal weights: a set of explanations none of which is preferred."""
    return np.asarray(logsumexp(values, axis=0) - np.log(len(values)))
