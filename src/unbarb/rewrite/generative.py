"""A rewriter that is a generating model of your own: a bare model, an adapter, or a CTranslate2 model.

It proposes; whatever it says passes the same checks as the embedded model's candidates. A text that is
too long for the model gets no candidate, never half a one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

from unbarb.detect.folder import ModelFolder
from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra
from unbarb.prompt import BUILT_IN, FILE, Template, built_in
from unbarb.rewrite.decoding import Decoding
from unbarb.rewrite.difference import candidate
from unbarb.rewrite.protocol import Candidate
from unbarb.rewrite.search import Generator, Search
from unbarb.text import Analysis


class Generative:
    """What `Seq2Seq` and `Causal` share.

    Args:
        model: folder of a model, an adapter or a CTranslate2 model, or a name on the hub.
        base: the model under an adapter, where it is not the one that the adapter names.
        revision: of a name on the hub.
        template: name of a built-in template, for a model that has no ``unbarb_template.json``.
        candidates, beams, sample, temperature, top_p, max_new_tokens, timeout, no_repeat_ngram,
            repetition_penalty: see :class:`~unbarb.rewrite.search.Search`. What is left out is as
            ``decoding`` of the recipe said that trained the model.
        dtype: auto (as stored), fp32, bf16 or fp16; not for a CTranslate2 model.
        device: auto, cpu, cuda or cuda:N.
        threads: processor threads of a CTranslate2 model; torch has a setting of its own.

    Raises:
        ModelError: no such model, or it does not load.
        ConfigError: an option is not valid, or the template is not known.
        MissingExtra: torch or ctranslate2 is not installed.
    """

    name: ClassVar[str]
    seq2seq: ClassVar[bool]
    usual: ClassVar[str | None]
    """The template of a model that brings none."""

    def __init__(
        self,
        model: str,
        *,
        base: str | None = None,
        revision: str | None = None,
        template: str | None = None,
        candidates: int = 4,
        beams: int | None = None,
        sample: bool = False,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_new_tokens: int | None = None,
        timeout: float | None = None,
        no_repeat_ngram: int | None = None,
        repetition_penalty: float | None = None,
        dtype: str = "auto",
        device: str = "auto",
        threads: int = 1,
    ) -> None:
        # What is wrong with the options is told before a model is looked for.
        given = Search(
            candidates, beams, sample, temperature, top_p, max_new_tokens, timeout,
            no_repeat_ngram, 1.0 if repetition_penalty is None else repetition_penalty,
        )  # fmt: skip
        folder = ModelFolder.find(model, base, revision)
        self._search = _as_trained(
            given, Decoding.load(folder.path), penalised=repetition_penalty is not None
        )
        if sample and folder.is_ctranslate2:
            raise ConfigError("a CTranslate2 model is searched by beams; leave out sample")
        self._template = self._chosen(folder, template)
        self._generator = self._load(folder, dtype, device, threads)
        decided = f"{folder.digest()} {self._template.to_dict()} {self._search}"
        self.digest = f"sha256:{sha256(decided.encode()).hexdigest()}"

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates for every text, the likeliest first; each text is asked alone."""
        return [self._for(analysis.text) for analysis in analyses]

    def _for(self, text: str) -> list[Candidate]:
        bare = text.strip()
        if not bare:
            return []
        said = self._generator.generate(self._template, bare, self._search)
        found: dict[str, Candidate] = {}
        for one in sorted(said, key=lambda one: -one.score):
            proposed = candidate(text, self._template.parse(one.text), one.score)
            if proposed is not None:
                found.setdefault(proposed.text, proposed)
        return list(found.values())

    def _chosen(self, folder: ModelFolder, name: str | None) -> Template:
        """The template of the model's folder; a name may only say what the folder does not."""
        if (folder.path / FILE).is_file():
            saved = Template.load(folder.path)
            if name is not None and name != saved.name:
                raise ConfigError(
                    f"template: {name!r} is not what {folder.path} was trained with ({saved.name!r});"
                    " leave it out"
                )
            return saved
        if name is None and self.usual is None:
            raise ConfigError(
                f"{folder.path} has no {FILE}; say how it is to be asked: template: {', '.join(BUILT_IN)}"
            )
        return built_in(name or self.usual or "")

    def _load(self, folder: ModelFolder, dtype: str, device: str, threads: int) -> Generator:
        # Here and not above: a CTranslate2 model needs no torch, and any other no ctranslate2.
        try:
            if folder.is_ctranslate2:
                from unbarb.rewrite.decode_ctranslate import CTranslateGenerator

                return CTranslateGenerator(folder, seq2seq=self.seq2seq, device=device, threads=threads)
            from unbarb.rewrite.decode_torch import TorchGenerator

            return TorchGenerator(folder, seq2seq=self.seq2seq, dtype=dtype, device=device)
        except ModuleNotFoundError as error:
            raise missing_extra(f"the rewriter {self.name!r}", error) from error


def _as_trained(given: Search, trained: Decoding, *, penalised: bool) -> Search:
    """What was given, and for the rest what the model was trained to; beams enough for the candidates."""
    beams = given.beams
    if beams is None and trained.beams is not None and not given.sample:
        beams = max(trained.beams, given.candidates)
    ngram = trained.no_repeat_ngram if given.no_repeat_ngram is None else given.no_repeat_ngram
    return replace(
        given,
        beams=beams,
        max_new_tokens=given.max_new_tokens or trained.max_new_tokens,
        no_repeat_ngram=ngram,
        repetition_penalty=given.repetition_penalty if penalised else trained.repetition_penalty or 1.0,
    )
