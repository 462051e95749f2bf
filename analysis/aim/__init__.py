"""Rival explanations: what was aimed at, and what else would look the same."""

from .cep import CepPrior, cep_prior
from .claims import Explanations, explain
from .explanations import Comparison, Likelihoods, Rivals, compare_explanations, verbal
from .miss import Aim, Spread, aim_likelihood_ratio, miss_probability
from .worlds import confusion, draw_world, explanation_study, favourites

__all__ = [
    "Aim",
    "CepPrior",
    "Comparison",
    "Explanations",
    "Likelihoods",
    "Rivals",
    "Spread",
    "aim_likelihood_ratio",
    "cep_prior",
    "compare_explanations",
    "confusion",
    "draw_world",
    "explain",
    "explanation_study",
    "favourites",
    "miss_probability",
    "verbal",
]
