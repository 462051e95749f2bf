"""Draws from a baseline, under a null hypothesis."""

from .draws import Draws, Null, Rng, replicate_rng, seed_sequence
from .from_intensity import BinomialNull, PoissonNull

__all__ = ["BinomialNull", "Draws", "Null", "PoissonNull", "Rng", "replicate_rng", "seed_sequence"]
