"""Every reader on a small file written here in its corpus's own format."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from unbarb.data.corpora import FILES, READERS, VARIABLE, Corpora
from unbarb.data.readers.wikitext import detokenise, wikitext
from unbarb.data.table import rows
from unbarb.errors import ConfigError, InputError
from unbarb.text import LABELS, Span

CONTENT = {
    "jigsaw_train.csv": (
        'text,toxic,severe_toxic,obscene,threat,insult,identity_hate\n"You, sir, are a fool",1,0,0,0,1,0\n'
    ),
    "wiki_natural.csv": "text,toxic\nPlease sign your posts.,0.25\n",
    "civil_comments.csv": (
        "comment_id,text\n7,such a stupid idiot talks\n8,nobody looked at this\n9,nobody marked this\n"
    ),
    "civil_annotations.csv": (
        "annotation,comment_id,all_toxic,not_toxic\n1,7,False,False\n2,7,False,True\n3,7,True,True\n4,7,True,False\n"
        "5,9,True,True\n"
    ),
    "civil_spans.csv": (
        "annotation,type,start,end\n1,Insult,7,19\n2,Insu,14,19\n"
        "2,Identity based Attack,14,99\n1,Threat,3,3\n4,Insult,14,19\n"
    ),
    "toxic_spans_train.csv": 'spans,text\n"[4, 5, 6, 7, 9]","You fool x"\n[],Hm.\n',
    "davidson.csv": "hate_votes,offensive_votes,neither_votes,class,text\n1,2,1,1,a &amp; b\n",
    "edos.csv": (
        "text,sexist,category,split\nWomen cannot think,sexist,2. derogation,train\n"
        "The shop is closed,not sexist,none,train\nImmigrants are here,not sexist,none,dev\n"
    ),
    "paradetox.tsv": (
        "toxic\tneutral1\tneutral2\tneutral3\n"
        "what crap\twhat a pity\twhat crap\t\nwhat crap\twhat a pity\thow sad\t\n"
        'you "fool"\tyou "fool"\t\t\n'
    ),
    "paradetox_cannot_rewrite.tsv": (
        'toxic\treasons\na\t"{""toxic_content"":true}"\nb\t"{""not_toxic"":true}"\nc\t"{""unclear"":true}"\n'
        'd\t"{""not_toxic"":true,""toxic_content"":true}"\n'
    ),
    "identity_templates.csv": (
        "template,toxicity,text\nverb_adj,nontoxic,hug gay\nverb_adj,toxic,hate gay\n"
        "you_are_adj,toxic,You are a dumb gay\n"
        "you_occupation,toxic,You are a dumb actor\n"
        + "".join(f"name_adj,nontoxic,{name} is a kind Sikh\n" for name in ("Ann", "Bo", "Cy", "Di"))
    ),
    "wikitext_valid.txt": (
        " \n = Title = \n \n The fort , built 1 @,@ 000 years ago , isn 't open . "
        "It was owned by <unk> for many years . "
        'A sign ( in red ) says " keep out " to all . \n'
    ),
    "profanity_en.csv": (
        "text,canonical_form_1,canonical_form_2,canonical_form_3,category_1,category_2,category_3,"
        "severity_rating,severity_description\nCr4p,crap,,,bodily fluids / excrement,,,1.2,Mild\n"
    ),
    "ldnoobw_en.txt": "crap\n\nbollocks\n",
}


@pytest.fixture
def corpora(tmp_path: Path) -> Corpora:
    """All the files, half of them gzipped."""
    for index, (name, content) in enumerate(CONTENT.items()):
        if index % 2:
            (tmp_path / name).write_text(content, encoding="utf-8")
        else:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    return Corpora(tmp_path)


def test_all_corpora_are_found_whether_gzipped_or_not(corpora: Corpora) -> None:
    assert corpora.available() == tuple(FILES)
    assert len(corpora.available()) == 12


def test_every_reader_gives_known_labels_in_range_and_true_spans(corpora: Corpora) -> None:
    seen = 0
    for name in READERS:
        for example in corpora.labelled(name):
            assert example.source == name
            assert example.group
            assert set(example.labels) <= set(LABELS)
            assert all(0 <= value <= 1 for value in example.labels.values())
            for span in example.spans or ():
                assert 0 <= span.start < span.end <= len(example.text)
            seen += 1
    assert seen == 21


def test_jigsaw_and_wikipedia_labels(corpora: Corpora) -> None:
    (comment,) = corpora.labelled("jigsaw")
    assert comment.text == "You, sir, are a fool"
    assert [label for label, value in comment.labels.items() if value] == ["toxicity", "insult"]
    assert len(comment.labels) == 6
    (talk,) = corpora.labelled("wiki_natural")
    assert talk.labels == {"toxicity": 0.25}


def test_civil_shares_votes_and_keeps_what_half_of_the_markers_marked(corpora: Corpora) -> None:
    comment, unmarked = corpora.labelled("civil")
    assert comment.labels == {
        "insult": 0.75,
        "identity_attack": 0.25,
        "obscene": 0.0,
        "threat": 0.0,
        "toxicity": 0.75,
    }
    assert comment.spans == (Span(14, 19),)
    assert comment.spans[0].of(comment.text) == "idiot"
    assert unmarked.spans == ()


def test_toxic_spans_are_code_point_lists(corpora: Corpora) -> None:
    marked, unmarked = corpora.labelled("toxic_spans")
    assert marked.spans == (Span(4, 8), Span(9, 10))
    assert marked.labels == {"toxicity": 1.0}
    assert (unmarked.spans, unmarked.labels) == ((), {})


def test_davidson_unescapes_and_shares_votes(corpora: Corpora) -> None:
    (tweet,) = corpora.labelled("davidson")
    assert tweet.text == "a & b"
    assert tweet.labels == {"toxicity": 0.75, "identity_attack": 0.25}


def test_edos_claims_nothing_that_it_does_not_know(corpora: Corpora) -> None:
    assert [post.labels for post in corpora.labelled("edos")] == [
        {"toxicity": 1.0, "identity_attack": 1.0},
        {"identity_attack": 0.0},
        {},
    ]


def test_pairs_are_merged_and_drops_counted(corpora: Corpora) -> None:
    dropped: Counter[str] = Counter()
    (pair,) = corpora.pairs(dropped)
    assert (pair.toxic, pair.neutrals) == ("what crap", ("what a pity", "how sad"))
    assert dropped == {"unchanged": 2, "duplicate": 1, "no_neutral": 1}
    assert [example.labels["toxicity"] for example in pair.labelled()] == [1.0, 0.0, 0.0]


def test_what_cannot_be_rewritten_keeps_only_clear_reasons(corpora: Corpora) -> None:
    found = [(example.text, example.labels) for example in corpora.labelled("cannot_rewrite")]
    assert found == [("a", {"toxicity": 1.0}), ("b", {"toxicity": 0.0})]


def test_identity_templates_are_sampled_by_pattern(corpora: Corpora) -> None:
    reader, paths = READERS["identity_templates"], corpora.paths("identity_templates")
    assert [len(reader(*paths, per_pattern=limit)) for limit in (1, 2, 9)] == [5, 6, 8]
    assert reader(*paths, per_pattern=2, seed=1) == reader(*paths, per_pattern=2, seed=1)
    labels = {example.text: example.labels for example in reader(*paths)}
    assert set(labels["hug gay"].values()) == {0.0}
    assert labels["hate gay"] == {"toxicity": 1.0, "identity_attack": 1.0}
    assert labels["You are a dumb actor"] == {"toxicity": 1.0, "identity_attack": 0.0, "insult": 1.0}


def test_wikitext_becomes_ordinary_writing(corpora: Corpora) -> None:
    (paragraph,) = corpora.labelled("wikitext")
    assert paragraph.text == (
        'The fort, built 1,000 years ago, isn\'t open. A sign (in red) says "keep out" to all.'
    )
    (path,) = corpora.paths("wikitext")
    sentences = wikitext(path, unit="sentence")
    assert [sentence.text[:8] for sentence in sentences] == ["The fort", "A sign ("]
    assert {sentence.group for sentence in sentences} == {paragraph.group}


def test_detokenise_leaves_ordinary_writing_alone() -> None:
    text = 'The twelve-day trip (in May) cost 3.50, said "Anne", didn\'t it?'
    assert detokenise(text) == text


def test_lexicons_carry_kind_and_severity(corpora: Corpora) -> None:
    terms = corpora.lexicon_files()
    assert [(term.text, term.severity) for term in terms] == [
        ("cr4p", 1.2),
        ("crap", None),
        ("bollocks", None),
    ]
    assert terms[0].forms == ("crap",)


def test_a_missing_file_is_named(corpora: Corpora) -> None:
    (corpora.folder / "davidson.csv.gz").unlink()
    assert "davidson" not in corpora.available()
    with pytest.raises(InputError, match=r"neither davidson\.csv nor davidson\.csv\.gz"):
        corpora.labelled("davidson")


def test_wrong_names_are_answered_with_the_right_ones(corpora: Corpora) -> None:
    with pytest.raises(ConfigError, match="known: jigsaw"):
        corpora.labelled("reddit")
    with pytest.raises(ConfigError, match="has no labelled texts"):
        corpora.labelled("ldnoobw")


def test_the_environment_names_the_folder(corpora: Corpora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(corpora.folder))
    assert Corpora.from_environment() == corpora
    monkeypatch.setenv(VARIABLE, str(corpora.folder / "absent"))
    with pytest.raises(ConfigError, match="set it to the folder"):
        Corpora.from_environment()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("davidson.csv", "text\nhello\n", "no column hate_votes"),
        ("wiki_natural.csv", "text,toxic\nhello,high\n", "column toxic holds 'high'"),
        ("wiki_natural.csv", "text,toxic\nhello,0\nalone\n", "line 3: fewer fields"),
        ("toxic_spans_train.csv", "spans,text\nnone,hello\n", "row 1: spans must be a list"),
        ("edos.csv", "text,sexist\nhello,maybe\n", "must be one of sexist, not sexist"),
        ("paradetox_cannot_rewrite.tsv", "toxic\treasons\na\t[]\n", "row 1: reasons must be a JSON object"),
    ],
)
def test_damage_is_reported_with_its_place(tmp_path: Path, file: str, content: str, message: str) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    name = next(name for name, files in FILES.items() if file in files)
    with pytest.raises(InputError, match=message):
        Corpora(tmp_path).labelled(name)


def test_rows_of_an_absent_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        list(rows(tmp_path / "absent.csv", ("text",)))
