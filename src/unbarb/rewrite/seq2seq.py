"""Rewrites by an encoder-decoder of your own, such as T5, BART or mT0."""

from __future__ import annotations

from unbarb.rewrite.generative import Generative


class Seq2Seq(Generative):
    """An encoder-decoder, alone, with an adapter, or in CTranslate2's format.

    One that brings no template is asked the bare text.
    """

    name = "seq2seq"
    seq2seq = True
    usual = "plain"
