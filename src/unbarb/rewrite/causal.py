"""Rewrites by a causal model of your own, such as Llama, OPT, BLOOM or Phi."""

from __future__ import annotations

from unbarb.rewrite.generative import Generative


class Causal(Generative):
    """A causal model, alone, with an adapter, or in CTranslate2's format.

    One that brings no template must be told one: ``template: chat`` for a chat model as it is.
    """

    name = "causal"
    seq2seq = False
    usual = None
