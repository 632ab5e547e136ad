"""Corpora: one reader per source, examples and pairs, clean, split, and the behaviours written here."""
