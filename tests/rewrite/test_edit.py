"""The edit rewriter on a model whose tags are known: candidates, their order, and whose edits they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbarb.detect.embedded import Embedded
from unbarb.detect.normalize import normalize
from unbarb.detect.wordpiece import MAX_PIECES, words_of
from unbarb.errors import ModelError
from unbarb.rewrite.edit import LEAST, EditRewriter, Taste, word_toxicity
from unbarb.rewrite.editor import Editor
from unbarb.text import Analysis, Span, Word, apply


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Embedded:
    return Embedded(tiny_model, gate=False)


@pytest.fixture(scope="module")
def rewriter(tiny_model: Path) -> EditRewriter:
    return EditRewriter(tiny_model)


@pytest.fixture(scope="module")
def editor(tiny_model: Path) -> Editor:
    return Editor(tiny_model)


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("You are an idiot.", "You are a person."),
        ("Stop being such a stupid moron, please!", "Stop being such a person, please!"),
        ("stupid idea", "idea"),
        ("Yοu are an іdiot!!", "Yοu are a person!!"),  # Greek and Cyrillic letters: kept ones stay
        ("so 'pathetic' 🙂", "so 🙂"),
    ],
)
def test_the_best_candidate(rewriter: EditRewriter, detector: Embedded, text: str, best: str) -> None:
    (candidates,) = rewriter.propose(detector.detect([text]))
    assert candidates[0].text == best


def test_candidates_are_distinct_best_first_and_made_of_edits(
    rewriter: EditRewriter, detector: Embedded
) -> None:
    text = "You fucking idiot, this plan is dumb."
    (candidates,) = rewriter.propose(detector.detect([text]))
    assert len(candidates) > LEAST  # those that are read, and spare ones
    assert len({candidate.text for candidate in candidates}) == len(candidates)
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)
    for candidate in candidates:
        assert apply(candidate.edits, text) == candidate.text != text
        assert candidate.step == "edit"


def texts_read(folder: Path, analyses: list[Analysis], taste: Taste) -> tuple[list[str], list[str]]:
    """The candidates for a text, and what was proofread on the way."""
    editor = Editor(folder)
    seen: list[str] = []
    proofread = editor.proofread

    def noting(text: str) -> float:
        seen.append(text)
        return proofread(text)

    editor.proofread = noting  # type: ignore[method-assign]
    (candidates,) = EditRewriter(folder, editor, taste).propose(analyses)
    return [candidate.text for candidate in candidates], seen


def test_reading_stops_when_no_other_draft_can_be_much_better(tiny_model: Path, detector: Embedded) -> None:
    analyses = detector.detect(["You fucking idiot, this plan is dumb."])
    patient, everything = texts_read(tiny_model, analyses, Taste(enough=100.0, reads=10))
    hasty, some = texts_read(tiny_model, analyses, Taste(enough=-100.0, reads=10, spare=4))
    assert len(everything) == 10
    assert some == everything[:LEAST]
    assert sorted(hasty[:LEAST]) == sorted(some)
    assert len(hasty) == LEAST + 4
    assert sorted(patient[:10]) == sorted(everything)


@pytest.mark.parametrize(("toll", "read"), [(-100.0, 3), (100.0, 1)])
def test_only_finalists_that_may_win_are_read_by_the_sentence_heads(
    tiny_model: Path, detector: Embedded, toll: float, read: int
) -> None:
    editor = Editor(tiny_model)
    (analysis,) = detector.detect(["You fucking idiot, this plan is dumb."])
    taste = Taste(finalists=3, reads=6, toll=toll)
    (candidates,) = EditRewriter(tiny_model, editor, taste).propose([analysis])
    assert editor.read.cache_info().misses == read + 1  # and the text itself
    assert len(candidates) >= 6


def test_a_draft_that_reads_badly_is_not_the_best(tiny_model: Path, detector: Embedded) -> None:
    editor = Editor(tiny_model)
    analyses = detector.detect(["You fucking idiot, this plan is dumb."])
    taste = Taste(toxicity=0.0, sketch_toxicity=0.0, residue=0.0)
    (plain,) = EditRewriter(tiny_model, editor, taste).propose(analyses)
    editor.proofread = lambda text: 0.01 if text == plain[0].text else 0.9  # type: ignore[method-assign]
    (proofread,) = EditRewriter(tiny_model, editor, taste).propose(analyses)
    assert proofread[0].text != plain[0].text
    assert plain[0].text in [candidate.text for candidate in proofread]


def test_a_text_does_not_depend_on_the_others(rewriter: EditRewriter, detector: Embedded) -> None:
    texts = ["You idiot.", "", "A nice day", "what a moron " * 20]
    analyses = detector.detect(texts)
    assert rewriter.propose(analyses) == [rewriter.propose([one])[0] for one in analyses]


@pytest.mark.parametrize("text", ["", "  \n", "go " * MAX_PIECES])
def test_nothing_is_proposed_where_nothing_can_be_tagged(
    rewriter: EditRewriter, detector: Embedded, text: str
) -> None:
    assert rewriter.propose(detector.detect([text])) == [[]]


def test_a_sentence_that_just_fits_is_tagged(editor: Editor) -> None:
    tags = editor.tag(["go"] * (MAX_PIECES - 2))
    assert tags is not None
    assert tags.shape == (MAX_PIECES - 1, len(editor.vocabulary))
    assert editor.tag(["go"] * (MAX_PIECES - 1)) is None


def test_tags_are_log_probabilities_in_the_order_of_the_words(editor: Editor) -> None:
    logp = editor.tag(["you", "stupid", "zq", "idiot"])
    assert logp is not None
    assert np.exp(logp).sum(1) == pytest.approx(1.0, abs=1e-5)
    best = [editor.vocabulary[tag] for tag in logp.argmax(1)]
    assert best == ["keep", "keep", "delete", "keep", "replace|person"]


def test_a_word_without_pieces_is_kept(editor: Editor) -> None:
    """The tokenizer drops a variation selector; it must not be given its neighbour's tag."""
    logp = editor.tag(["\ufe0f", "idiot", "\ufe0f"])
    assert logp is not None
    assert [editor.vocabulary[tag] for tag in logp.argmax(1)] == ["keep", "keep", "replace|person", "keep"]


def test_impressions(editor: Editor) -> None:
    rude, fine, same = (editor.read(text) for text in ("you idiot", "you person", "You IDIOT"))
    assert rude.toxicity > 0.9 > 0.1 > fine.toxicity
    assert float(np.linalg.norm(fine.meaning)) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(rude.meaning, same.meaning)
    assert 0.3 < float(rude.meaning @ fine.meaning) < 1.0


def test_typographic_apostrophes_are_read_as_plain_ones(editor: Editor) -> None:
    assert np.array_equal(editor.read("it’s").meaning, editor.read("it's").meaning)


def test_reading_nothing_and_very_much(editor: Editor) -> None:
    for text in ("", "go " * 400):
        assert 0 < editor.read(text).fluency < 1
        assert np.isfinite(editor.read(text).meaning).all()


messy = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            ["y0u", "fuckyou", "1diot", "i d i o t", "㎏", "ﷺ", "½", "\u200b", "ⓕool", "b!tch", "♥️"]
        ),
        max_size=8,
    ).map(" ".join),
)  # fmt: skip


@settings(max_examples=40)
@given(text=messy)
def test_any_text_gets_candidates_that_apply(rewriter: EditRewriter, detector: Embedded, text: str) -> None:
    for candidate in rewriter.propose(detector.detect([text]))[0]:
        assert apply(candidate.edits, text) == candidate.text


@settings(max_examples=200)
@given(text=messy)
def test_words_of_the_view_lie_apart_in_the_original(text: str) -> None:
    view = normalize(text)
    places = [view.span(word.start, word.end) for word in words_of(view.text)]
    at = 0
    for place in places:
        assert at <= place.start <= place.end <= len(text)
        at = place.end


def test_word_toxicity_is_the_highest_that_overlaps() -> None:
    words = (Word(0, 3, 0.1), Word(4, 6, 0.7), Word(6, 9, 0.9))
    analysis = Analysis("abc defgh", {}, words=words)
    places = [Span(0, 3), Span(4, 9), Span(3, 4), Span(8, 9)]
    assert word_toxicity(analysis, places).tolist() == pytest.approx([0.1, 0.9, 0.0, 0.9])


@pytest.mark.parametrize(
    "name",
    [
        "tags.json",
        "editor-heads.npz",
        "editor.onnx",
        "proofreader.onnx",
        "proofreader-heads.npz",
        "sketch.npz",
    ],
)
def test_damaged_files_are_a_model_error(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    (folder / name).write_bytes(b"{broken")
    with pytest.raises(ModelError, match=name):
        Editor(folder)


def test_tags_that_do_not_fit_the_head_are_a_model_error(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    (folder / "tags.json").write_text(json.dumps(["keep", "delete"]))
    with pytest.raises(ModelError, match=r"2 tags in tags\.json, 4 in"):
        Editor(folder)


WORDS = ("liar", "fool", "clown", "man", "person", "loser", "nobody", "coward")


def test_tags_do_not_hang_on_the_threads_of_the_processors_library() -> None:
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    editor = Editor()
    sentences = [f"you are a pathetic little {word} and everybody here knows it".split() for word in WORDS]
    found = []
    for threads in (1, 2):
        with limits(threads, user_api="blas"):
            found.append([editor.tag(sentence) for sentence in sentences])
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert other is not None
        assert one.tobytes() == other.tobytes()
