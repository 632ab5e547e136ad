"""The steps that make the embedded model, each done once: what a run folder holds is not made again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from random import Random

import numpy as np

from unbarb.cli.calibrate import CALIBRATION, encoder_scores, set_gate_floor, thresholds_of
from unbarb.cli.embedded_card import card_of, first_card
from unbarb.data.behaviours import sentences as behaviour_sentences
from unbarb.data.corpora import Corpora
from unbarb.data.examples import Labelled, Pair
from unbarb.data.split import split
from unbarb.detect.arrays import read_array
from unbarb.detect.embedded import Embedded
from unbarb.detect.ngrams import NGRAMS, Ngrams
from unbarb.detect.normalize import normalize
from unbarb.detect.wordpiece import WordPiece
from unbarb.errors import ConfigError, MissingExtra, ModelError
from unbarb.export.bundle import write_card, write_shared, write_trunk
from unbarb.policy import Policy
from unbarb.policy.file import locate, write_thresholds
from unbarb.rewrite.tagger import Tagger
from unbarb.text import LABELS
from unbarb.train.batches import Row
from unbarb.train.detector_phases import train_in_phases
from unbarb.train.editor_phases import train_editor_in_phases
from unbarb.train.gate import save_gate, train_gate
from unbarb.train.heads import detector_heads, editor_heads, merged_state, proofreader_heads
from unbarb.train.linear import LinearSettings, calibrated, learnt, train_linear
from unbarb.train.mixture import written_sentences
from unbarb.train.piece_model import save_pieces, train_pieces
from unbarb.train.proofreader import train_proofreader
from unbarb.train.proofreading import PIECES, proof_rows, prose
from unbarb.train.ranking import Ranked, ranked, redrawn
from unbarb.train.recipe import Recipe
from unbarb.train.rewriting import sentence_rows, tag_vocabulary, tagged_pairs
from unbarb.train.run import Run

Progress = Callable[[str, int, int, float], None]
SHORT = 30
"""Words of the longest sentence that the sentence heads of the editing trunk learn from."""


@dataclass
class EmbeddedRun:
    """One run of the recipe: corpora in, a model folder out; `folder` keeps what each step made."""

    recipe: Recipe
    corpora: Corpora
    folder: Path
    progress: Progress

    @cached_property
    def base(self) -> Path:
        """The base model's folder, its weights checked against the recipe's digest."""
        found = find_spec(self.recipe.base.replace("-", "_"))
        if found is None or found.origin is None:
            raise MissingExtra.for_feature(f"recipe {self.recipe.name}", self.recipe.base, "train")
        folder = Path(found.origin).parent / "model"
        digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        if digest != self.recipe.base_sha256:
            raise ModelError(
                f"{folder}: base weights have SHA-256 {digest}, the recipe names {self.recipe.base_sha256}"
            )
        return folder

    @cached_property
    def wordpiece(self) -> WordPiece:
        return WordPiece(self.base / "tokenizer.json")

    @cached_property
    def labelled(self) -> dict[str, list[Labelled]]:
        """Labelled texts of all corpora by split, the two sides of pairs among them."""
        part = self.recipe.detector
        texts = [example for name in part.corpora for example in self.corpora.labelled(name)]
        for pair in self.corpora.pairs():
            texts += pair.labelled()[: 1 + part.neutrals_per_pair]
        return split(texts, self.recipe.seed)

    @cached_property
    def pairs(self) -> dict[str, list[Pair]]:
        return split(self.corpora.pairs(), self.recipe.seed)

    @property
    def bundle(self) -> Path:
        folder = self.folder / "model"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def begin(self) -> Run:
        """Open the folder, or go on with what an interrupted process left there.

        Raises:
            ConfigError: the folder holds a run with another recipe, or over other corpora.
            InputError: a corpus is missing, or the folder holds something that is no run.
        """
        names = dict.fromkeys((*self.recipe.detector.corpora, "paradetox"))
        read = sha256()
        for path in (path for name in names for path in self.corpora.paths(name)):
            with path.open("rb") as file:
                read.update(file_digest(file, "sha256").digest())
        digests = {"base": self.recipe.base_sha256, "data": read.hexdigest()}
        return Run.begin(self.folder, recipe=asdict(self.recipe), digests=digests, quiet=True)

    def detector(self) -> None:
        """Train and export the detection trunk."""
        if (self.bundle / "detector.onnx").exists():
            return
        model = train_in_phases(
            self.labelled["train"], self.wordpiece, self.base, self.recipe.detector, self._log("detector"),
            self._told,
        )  # fmt: skip
        heads = detector_heads(model)
        write_trunk(merged_state(model.encoder), heads, "detector", self.bundle)

    def editor(self) -> None:
        """Train and export the editing trunk, and what the trunks share."""
        if (self.bundle / "editor.onnx").exists():
            return
        others = [one for one in self.labelled["train"] if 3 <= len(one.text.split()) <= SHORT]
        model, tags = train_editor_in_phases(
            self.pairs["train"], others, self.wordpiece, self.base, self.recipe.editor, self._log("editor"),
            self._told,
        )  # fmt: skip
        heads, state = editor_heads(model), merged_state(model.encoder)
        write_shared(state, self.base / "tokenizer.json", tags, self.recipe.detector.window, self.bundle)
        write_trunk(state, heads, "editor", self.bundle)

    def proofreader(self) -> None:
        """Train and export the proofreading trunk."""
        if (self.bundle / "proofreader.onnx").exists():
            return
        part = self.recipe.proofreader
        pairs = self.pairs["train"]
        others = prose(one for one in self.labelled["train"] if one.source in part.corpora)
        compared = ranked(
            pairs,
            Tagger(self.bundle),
            self.base,
            part.candidates,
            PIECES,
            part.seed,
            self._told("candidates"),
        )

        def rows(epoch: int) -> Sequence[Row]:
            return proof_rows(pairs, others, part.sources, part.others, self.wordpiece, part.seed + epoch)

        def candidates(epoch: int) -> Sequence[Ranked]:
            return redrawn(compared, part.compared, part.seed + epoch)

        model = train_proofreader(
            rows, candidates, self.base, part, self._log("proofreader"), self._told("proofreading trunk")
        )
        heads = proofreader_heads(model)
        write_trunk(merged_state(model.encoder), heads, "proofreader", self.bundle)

    def sketch(self) -> None:
        """Train the quick linear reading of candidates: damaged or not, toxic or not."""
        path = self.bundle / "sketch.npz"
        if path.exists():
            return
        part = self.recipe.sketch
        pairs = self.pairs["train"]
        tagged = tagged_pairs(pairs)
        tags = tag_vocabulary(tagged, self.recipe.editor.tags_seen)
        others = [one for one in self.labelled["train"] if 3 <= len(one.text.split()) <= SHORT]
        rows = [
            row
            for draw in range(part.draws)
            for row in sentence_rows(
                pairs, tagged, others, tags, self.wordpiece, part.seed, draw, 1.0, part.others
            )
        ]
        targets = np.stack([(1 - row.labels[0], row.labels[1]) for row in rows]).astype(np.float32)
        save_pieces(*train_pieces([row.ids[1:-1] for row in rows], targets, part), path)

    def ngrams(self) -> None:
        """Train the n-grams that stand beside the encoder; the sum of both is calibrated."""
        path = self.bundle / NGRAMS
        if path.exists():
            return
        part = self.recipe.ngrams
        texts = self.labelled["train"] + written_sentences(part.behaviours, 0)
        held_out = self.labelled["dev"] + written_sentences(
            part.behaviours, self.recipe.detector.epochs + 1
        )
        held_out = [one for one in held_out if one.source in CALIBRATION]
        weights = learnt(
            texts, LinearSettings(LABELS, part.strength, weights=part.weights, counts=part.counts)
        )
        write_card(first_card(), self.bundle)
        detector = Embedded(self.bundle, gate=False, ngrams=Ngrams(weights))
        logits = detector.logits([one.text for one in held_out])
        calibrated(weights, logits, held_out).save(path)

    def gate(self) -> None:
        """Train the gate on the ungated detector's scores; its floors are chosen later, on other text."""
        if (self.bundle / "gate.npz").exists():
            return
        part = self.recipe.gate
        texts = self.labelled["train"]
        texts = Random(part.seed).sample(texts, min(part.texts, len(texts)))
        texts += written_sentences(part.behaviours, 0)
        write_card(first_card(), self.bundle)
        detector = Embedded(self.bundle, gate=False, threads=2)
        scores = encoder_scores(detector, [one.text for one in texts])
        ids = self.wordpiece.ids([normalize(one.text).text for one in texts])
        words, scales = (read_array(self.bundle / f"{name}.npy") for name in ("words", "word-scales"))
        save_gate(train_gate(ids, scores, words * scales[:, None], part), self.bundle / "gate.npz")

    def linear(self) -> None:
        """Train the linear second opinion."""
        path = self.bundle / "linear.npz"
        if not path.exists():
            train_linear(self.labelled["train"], self.labelled["dev"]).save(path)

    def _log(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _told(self, name: str) -> Callable[[int, int, float], None]:
        return lambda step, steps, loss: self.progress(name, step, steps, loss)

    def make(self) -> None:
        """All steps in order, the card last.

        Raises:
            ConfigError: the recipe asks for an objective that this command does not make, or the folder
                holds a run of another one, or over other corpora.
            InputError: a corpus is missing, or the folder holds something that is no run.
        """
        if self.recipe.objective != "embedded":
            raise ConfigError(f"objective {self.recipe.objective!r} is not known; known: embedded")
        with self.begin() as run:
            if run.finished:
                return
            trunks = (self.detector, self.editor, self.proofreader)
            for step in (*trunks, self.sketch, self.ngrams, self.gate, self.linear, self.card):
                step()
            run.finish()

    def card(self) -> None:
        """Choose thresholds on the dev split; write them into the card and into a policy.

        The policy is the preset `default` with these thresholds. Figures are added to the card when the
        model has been evaluated.
        """
        held_out = self.labelled["dev"]
        card = card_of(self.recipe)
        write_card(card, self.bundle)
        card["thresholds"] = thresholds_of(self.bundle, held_out, self.recipe.thresholds.false_alarms)
        policy = self.folder / "policy.yaml"
        shutil.copyfile(locate("default"), policy)
        write_thresholds(policy, card["thresholds"]["policy"])
        ceilings, lost = Policy.load(policy).ceilings(), self.recipe.gate.lost_recall
        # The gate learnt these patterns, but sentences drawn anew from them are not those it saw.
        written = behaviour_sentences("train", 100, self.recipe.detector.epochs + 1)
        held_out = held_out + [
            Labelled(one.text, one.labels, None, "behaviours", one.behaviour) for one in written
        ]
        card["thresholds"]["gate"] = set_gate_floor(self.bundle, held_out, ceilings, lost)
        write_card(card, self.bundle)
