"""A model folder in the layout of the shipped one, made by hand in a second, that behaves.

Width 96, one encoder layer that changes nothing, so hidden states are the embeddings, normed. Some
dimensions mean something: a toxic word stands out in TOXIC, and the heads read just that. So the
real code, from tokenizer to ONNX graph and heads, runs on weights whose answers are known:

- a text with one of INSULTS has toxicity, insult (and obscene for obscenities) near 1, else near 0;
- THREATS raise threat, SLURS identity_attack;
- the editor deletes adjectives among the insults and replaces nouns by "person";
- meaning is the mean of the words' random vectors, so it falls slowly with the words that change;
- the gate settles texts without any of these words, and the linear second opinion agrees.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from unbarb.detect.features import ROWS, rows
from unbarb.detect.linear import LinearWeights
from unbarb.detect.pieces import BUCKETS, PIECES
from unbarb.text import LABELS

WIDTH = 96
ADJECTIVES = ("stupid", "dumb", "fucking", "pathetic")
NOUNS = ("idiot", "moron", "fool", "asshole")
OBSCENE = ("fucking", "asshole", "fuck", "shit")
OTHER = ("fuck", "shit")
THREATS = ("kill", "stab")
SLURS = ("subhuman", "vermin")
INSULTS = (*ADJECTIVES, *NOUNS, *OTHER, *THREATS, *SLURS)
TAGS = ("keep", "delete", "replace|person", "replace|stuff")
PLAIN = tuple(
    """
you are an a the this that is was it i we they he she not no do did have has and or but of to in on for
with your my his her their what why how who when where person people thing stuff idea plan work day
good bad nice great wrong right true please stop go come see think know want like read write say said
well very so just really all some me him them us be been will can could would should about from at by
as if then there here out up down over more most much many new old time year way man woman house dog
cat book film game city article page weather report answer question help thanks hello s t m d re ve ll don
""".split()  # noqa: SIM905 - reads better as text
)
MARKS = "\"#$%&'()*+,-/:;<=>@[]^_`{|}~’‘“”…"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOXIC, OBSCENITY, THREAT, SLUR, ADJECTIVE, NOUN, NAUGHT = range(7)
STRENGTH = 12.0


def vocabulary() -> dict[str, int]:
    """Pieces and their ids; the special ones and the end marks stand where BERT's stand."""
    found = dict(zip(SPECIAL, (0, 100, 101, 102, 103), strict=True))
    found |= {"!": 999, ".": 1012, "?": 1029}
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    rest = [*MARKS, *letters, *(f"##{letter}" for letter in letters), *PLAIN, *INSULTS]
    return found | {piece: 1100 + at for at, piece in enumerate(dict.fromkeys(rest))}


def tokenizer_json() -> str:
    """BERT's uncased tokenizer over the toy vocabulary, as the tokenizers library stores it."""
    pieces = vocabulary()
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": pieces[special], "special": True, "content": special, **plain} for special in SPECIAL
            ],
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": True,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": None,
            "decoder": None,
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": pieces,
            },
        }
    )


def word_vectors() -> np.ndarray:
    """Embeddings: random signs, and what a word means in its first dimensions."""
    pieces = vocabulary()
    rng = np.random.default_rng(0)
    table = rng.choice([-1.0, 1.0], (max(pieces.values()) + 1, WIDTH)).astype(np.float32)
    table[:, : NAUGHT + 1] = 0.0
    for words, place in (
        (INSULTS, TOXIC), (OBSCENE, OBSCENITY), (THREATS, THREAT), (SLURS, SLUR),
        ((*ADJECTIVES, "fuck"), ADJECTIVE), ((*NOUNS, *SLURS), NOUN),
    ):  # fmt: skip
        for word in words:
            table[pieces[word], place] = STRENGTH
    return table


def state() -> dict[str, np.ndarray]:
    """Weights of a one-layer BertModel whose layer adds nothing."""
    names = vocabulary()
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    made = {
        "embeddings.word_embeddings.weight": word_vectors(),
        "embeddings.position_embeddings.weight": np.zeros((512, WIDTH), np.float32),
        "embeddings.token_type_embeddings.weight": np.zeros((2, WIDTH), np.float32),
    }
    assert names["[CLS]"] == 101
    layer = "encoder.layer.0."
    for norm in ("embeddings.", f"{layer}attention.output.", f"{layer}output."):
        made[f"{norm}LayerNorm.weight"], made[f"{norm}LayerNorm.bias"] = ones, zeros
    for part, out, into in (
        ("attention.self.query", WIDTH, WIDTH),
        ("attention.self.key", WIDTH, WIDTH),
        ("attention.self.value", WIDTH, WIDTH),
        ("attention.output.dense", WIDTH, WIDTH),
        ("intermediate.dense", 2 * WIDTH, WIDTH),
        ("output.dense", WIDTH, 2 * WIDTH),
    ):
        made[f"{layer}{part}.weight"] = np.zeros((out, into), np.float32)
        made[f"{layer}{part}.bias"] = np.zeros(out, np.float32)
    return made


def detector_heads() -> dict[str, np.ndarray]:
    """Label heads over [CLS], mean and maximum; a word head over one hidden state."""
    labels = np.zeros((3 * WIDTH, len(LABELS)), np.float32)
    reads = {"toxicity": TOXIC, "insult": TOXIC, "obscene": OBSCENITY, "threat": THREAT,
             "identity_attack": SLUR}  # fmt: skip
    for label, place in reads.items():
        labels[2 * WIDTH + place, LABELS.index(label)] = 3.0
    spans = np.zeros((WIDTH, 1), np.float32)
    spans[TOXIC] = 3.0
    return {
        "labels": labels,
        "labels_bias": np.full(len(LABELS), -6.0, np.float32),
        "spans": spans,
        "spans_bias": np.full(1, -6.0, np.float32),
    }


def editor_heads() -> dict[str, np.ndarray]:
    """Tags by the sort of word; fluency always high; meaning is the mean state itself."""
    tags = np.zeros((WIDTH, len(TAGS)), np.float32)
    tags[ADJECTIVE, TAGS.index("delete")] = 3.0
    tags[NOUN, TAGS.index("replace|person")] = 3.0
    tags[OBSCENITY, TAGS.index("replace|stuff")] = 1.0
    sentence = np.zeros((3 * WIDTH, 2), np.float32)
    sentence[2 * WIDTH + TOXIC, 1] = 3.0
    meaning = np.eye(WIDTH, dtype=np.float32)
    meaning[: NAUGHT + 1] = 0.0
    return {
        "tags": tags,
        "tags_bias": np.array([6.0, 0.0, 0.0, 0.0], np.float32),
        "sentence": sentence,
        "sentence_bias": np.array([3.0, -6.0], np.float32),
        "meaning": meaning,
    }


def proofreader_heads() -> dict[str, np.ndarray]:
    """All texts read alike, as if people wrote them."""
    return {"intact": np.zeros((3 * WIDTH, 1), np.float32), "intact_bias": np.full(1, 2.0, np.float32)}


def write_gate(path: Path, floor: float = 0.1) -> None:
    """A gate that lights up at the toxic words alone: .018 without them, .98 with one."""
    pieces = np.zeros((PIECES + 1, 1), np.int8)
    for word in INSULTS:
        pieces[vocabulary()[word]] = 127
    np.savez_compressed(
        path,
        pieces=pieces,
        filters=np.array([[0], [127], [0]], np.int8),
        offsets=np.zeros(1, np.int32),
        outputs=np.full((1, len(LABELS)), 127, np.int8),
        scale=np.full(len(LABELS), 8.0 / 127**3, np.float32),
        bias=np.full(len(LABELS), -4.0, np.float32),
        floors=np.full(len(LABELS), floor, np.float32),
        shrinkage=np.ones(len(LABELS), np.float32),
    )


def write_sketch(path: Path, labels: int = 2) -> None:
    """A model of the toxic words alone: .018 without them, .9 and more for a short text with one."""
    weights = np.zeros((PIECES + BUCKETS, labels), np.int8)
    pieces = vocabulary()
    for word in INSULTS:
        weights[pieces[word]] = 127
    np.savez_compressed(
        path,
        weights=weights,
        scale=np.full(labels, 0.2, np.float32),
        bias=np.full(labels, -4.0, np.float32),
    )


def write_linear(path: Path) -> None:
    """A second opinion that knows the pieces of toxic words that no plain word has."""
    plain = set(np.concatenate([rows(word) for word in PLAIN]).tolist())
    table = np.zeros((ROWS, 2), np.int8)
    for word in INSULTS:
        table[[row for row in rows(word).tolist() if row not in plain]] = 127
    pair = np.ones(2, np.float32)
    LinearWeights(("toxicity", "insult"), table, 0.3 * pair, -4 * pair, pair, 0 * pair).save(path)


def write(folder: Path) -> Path:
    """Write all of a model folder; needs onnx."""
    from unbarb.export.bundle import write_card, write_shared, write_trunk

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = folder / "tokenizer.json"
    made = folder.parent / f"{folder.name}-tokenizer.json"
    made.write_text(tokenizer_json(), "utf-8")
    write_shared(state(), made, TAGS, 128, folder)
    assert tokenizer.is_file()
    write_trunk(state(), detector_heads(), "detector", folder)
    write_trunk(state(), editor_heads(), "editor", folder)
    write_trunk(state(), proofreader_heads(), "proofreader", folder)
    write_gate(folder / "gate.npz")
    write_sketch(folder / "sketch.npz")
    write_linear(folder / "linear.npz")
    thresholds = {"word": 0.5, "text": 0.2, "policy": dict.fromkeys(LABELS, 0.5)}
    write_card(
        {"name": "tiny", "schema": 1, "thresholds": thresholds, "taste": {"likelihood": 1.0}}, folder
    )
    return folder
