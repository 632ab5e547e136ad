"""The field's models: found in a folder, unavailable with a reason, and read as the published code does.

Tiny models with random weights, saved in the hub's format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from unbarb.errors import ModelError
from unbarb.evaluate.hub import MODELS, Found, Hub, Unavailable
from unbarb.evaluate.hub_scores import Classifier, Embedder, Surprise, on_those_there

WORDS = ("you", "idiot", "are", "kind", "this", "is", "bad", "good", ".", "##s")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TEXTS = ["you are kind .", "this is bad", "you idiot"]


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def tokenizer(folder: Path) -> None:
    vocabulary = {word: at for at, word in enumerate((*SPECIAL, *WORDS))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)


def place(home: Path, name: str, kind: str) -> Path:
    """A tiny model of `kind` where `Hub` looks for the one that a metric calls `name`."""
    torch.manual_seed(7)
    folder = home / MODELS[name].name
    size = len(SPECIAL) + len(WORDS)
    if kind == "causal":
        config = transformers.GPT2Config(vocab_size=size, n_embd=16, n_layer=2, n_head=2, n_positions=64)
        transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    else:
        config = transformers.BertConfig(vocab_size=size, max_position_embeddings=64, num_labels=2, **SIZES)
        made = transformers.BertModel if kind == "embedder" else transformers.BertForSequenceClassification
        made(config).save_pretrained(folder)
    tokenizer(folder)
    return folder


def test_what_is_not_there_is_unavailable_with_a_reason(tmp_path):
    found = Hub(tmp_path).find(MODELS["sta_2025"])
    assert isinstance(found, Unavailable)
    assert found.called.startswith("textdetox/xlmr-large-toxicity-classifier-v2@main: unavailable, ")
    assert "--download" in found.why
    assert "--models DIR" in found.why


def test_a_folder_is_looked_in_first_under_both_names(tmp_path):
    folder = place(tmp_path, "cola", "classifier")
    found = Hub(tmp_path).find(MODELS["cola"])
    assert isinstance(found, Found)
    assert found.folder == folder
    flat = tmp_path / "flat"
    flat.mkdir()
    folder.rename(flat / "cointegrated--roberta-large-cola-krishna2020")
    assert isinstance(Hub(flat).find(MODELS["cola"]), Found)


def test_probabilities_are_softmax_of_the_logits_whatever_the_batch(tmp_path):
    model = Classifier(place(tmp_path, "sta_2024", "classifier"))
    logits = model.logits(TEXTS)
    assert logits.shape == (3, 2)
    both = model.probability(TEXTS, 0) + model.probability(TEXTS, 1)
    assert both == pytest.approx([1, 1, 1])
    expected = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    assert model.probability(TEXTS, 0) == pytest.approx(expected)
    alone = [model.probability([text], 0)[0] for text in TEXTS]
    assert model.probability(TEXTS, 0) == pytest.approx(alone, abs=1e-5)


def test_embeddings_are_the_pooled_first_token(tmp_path):
    folder = place(tmp_path, "labse", "embedder")
    found = Embedder(folder).embed(TEXTS)
    bert = transformers.BertModel.from_pretrained(folder).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        pooled = bert(**tokens(TEXTS[:1], return_tensors="pt")).pooler_output[0]
    assert found.shape == (3, 16)
    assert found[0] == pytest.approx(pooled.double().numpy(), abs=1e-5)


def test_surprise_is_the_models_own_loss(tmp_path):
    folder = place(tmp_path, "perplexity", "causal")
    nats, tokens = Surprise(folder).nats([*TEXTS, ""])
    model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        loss = float(model(input_ids=ids, labels=ids).loss)
    assert tokens[0] == ids.shape[1] - 1
    assert nats[0] / tokens[0] == pytest.approx(loss, abs=1e-5)


def test_no_text_has_no_number():
    assert np.isnan(on_those_there(lambda texts: np.ones(len(texts)), ["a", None])).tolist() == [
        False,
        True,
    ]
    assert np.isnan(on_those_there(lambda texts: 1 / 0, [None])).all()


def test_a_damaged_folder_is_told(tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Classifier(folder)


def test_the_field_uses_what_is_there_and_says_who_judged(tmp_path, judges_folder):
    from unbarb.evaluate.field import Field
    from unbarb.evaluate.judges import Judges

    for name, kind in (("sta_2022", "classifier"), ("sta_2025", "classifier"), ("labse", "embedder"),
                       ("cola", "classifier"), ("perplexity", "causal")):  # fmt: skip
        place(tmp_path, name, kind)
    offline = Judges.load(judges_folder)
    sources, outputs, references = (
        ["you idiot", "this is bad"],
        ["you are kind", None],
        ["you are good", "good"],
    )
    own = offline.score(sources, outputs, references)
    field = Field(offline, sources, references, Hub(tmp_path))
    scores = field.score(outputs, own)
    model = Classifier(tmp_path / MODELS["cola"].name)
    assert scores.acceptable[0] == pytest.approx(model.probability(["you are kind"], 0)[0], abs=1e-5)
    for column in (scores.j_2022, scores.j_2024, scores.j_2025, scores.acceptable):
        assert np.isnan(column).tolist() == [False, True]
    assert scores.surprise is not None
    assert field.judges["J 2025, STA"].startswith("textdetox/xlmr-large-toxicity-classifier-v2@")
    assert "offline" not in field.judges["J 2025, STA"]
    assert "unavailable" in field.judges["J 2024, STA"]
    assert "offline judge of fluency" in field.judges["J 2025, FL"]
    assert "offline judge of toxicity" in field.judges["J 2024, STA"]
    bare = Field(offline, sources, references, Hub(tmp_path / "nothing"))
    instead = bare.score(outputs, own)
    assert instead.surprise is None
    assert instead.acceptable[0] == own.fluency[0]
    assert all("unavailable" in said for part, said in bare.judges.items() if part != "J 2024, FL")


def test_fluency_of_2025_is_xcomet_lite_where_it_and_its_encoder_are_at_hand(
    tmp_path, judges_folder, monkeypatch
):
    from unbarb.evaluate import field as module
    from unbarb.evaluate.judges import Judges

    class Half:
        """Stands for the network, which has a test of its own: says .5 of whatever it is given."""

        def __init__(self, folder: Path, backbone: Path) -> None:
            assert folder == tmp_path / "myyycroft/XCOMET-lite"
            assert backbone == tmp_path / "microsoft/mdeberta-v3-base"

        def score(self, sources, outputs, references):
            assert (sources, outputs, references) == (["this is bad"], ["this is"], ["good"])
            return np.full(1, 0.5)

    monkeypatch.setattr(module, "Quality", Half)
    offline = Judges.load(judges_folder)
    rows = (["you idiot", "this is bad"], [None, "this is"], ["you are good", "good"])
    own = offline.score(*rows)

    def scored() -> tuple[float, dict[str, str]]:
        field = module.Field(offline, rows[0], rows[2], Hub(tmp_path))
        return float(field.score(rows[1], own).j_2025[1]), field.judges

    before, judges = scored()
    assert "offline judge of fluency" in judges["J 2025, FL"]
    place(tmp_path, "xcomet_lite", "embedder")
    without_encoder, judges = scored()
    assert without_encoder == before
    assert "microsoft/mdeberta-v3-base@main: unavailable" in judges["J 2025, FL"]
    place(tmp_path, "mdeberta", "embedder")
    after, judges = scored()
    assert after == pytest.approx(before / own.fluency[1] * 0.5)
    assert "offline" not in judges["J 2025, FL"]
