"""The stage alone: batches of columns in, batches of columns out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from corpora import CLEAN, RUDE, THREAT

from unbarb.corpus import CleanRows
from unbarb.errors import ConfigError, InputError


def column(*values: Any) -> Any:
    made = np.empty(len(values), object)
    made[:] = values
    return made


@pytest.fixture(scope="module")
def stage() -> CleanRows:
    return CleanRows()


def test_texts_are_replaced_rows_dropped_and_other_columns_left_alone(stage: CleanRows) -> None:
    batch = {"text": column(CLEAN, RUDE, None, THREAT, ""), "n": np.arange(5, dtype=np.int16)}
    after = stage(batch)
    assert list(after) == ["text", "n", "unbarb"]
    assert after["n"].tolist() == [0, 1, 2, 4]
    assert after["n"].dtype == np.int16
    assert [after["text"][at] for at in (0, 2, 3)] == [CLEAN, None, ""]
    assert "idiot" not in after["text"][1]
    assert [bool(told) for told in after["unbarb"]] == [False, True, False, False]
    (found,) = json.loads(after["unbarb"][1])
    assert (found["where"], found["action"]) == ("text", "rewrite")
    assert batch["text"][1] == RUDE


def test_a_batch_of_any_size_gives_the_same(stage: CleanRows) -> None:
    texts = [CLEAN, RUDE, RUDE, f"{CLEAN} It is open again.", RUDE.upper()]
    whole = stage({"text": column(*texts)})
    alone = [stage({"text": column(text)}) for text in texts]
    for name in ("text", "unbarb"):
        assert whole[name].tolist() == [value for one in alone for value in one[name].tolist()]


def test_messages_of_a_role_in_columns_as_arrow_gives_them() -> None:
    stage = CleanRows(columns="chat", roles="assistant")
    chat = np.array([{"role": "user", "content": RUDE}, {"role": "assistant", "content": RUDE}], object)
    after = stage({"chat": column(chat, None)})
    user, assistant = after["chat"][0]
    assert user["content"] == RUDE
    assert "idiot" not in assistant["content"]
    assert after["chat"][1] is None
    assert chat[1]["content"] == RUDE


def test_filtering_drops_what_would_be_rewritten_and_loads_no_rewriter() -> None:
    stage = CleanRows(filter=True)
    assert stage({"text": column(CLEAN, RUDE)})["text"].tolist() == [CLEAN]
    assert not stage._guard.rewrites


def test_an_empty_batch_stays_empty(stage: CleanRows) -> None:
    assert [len(values) for values in stage({"text": column()}).values()] == [0, 0]


def test_columns_that_are_not_there_or_hold_no_text_say_so(stage: CleanRows) -> None:
    with pytest.raises(InputError, match="no column 'text'; the batch has txt"):
        stage({"txt": column("a")})
    with pytest.raises(InputError, match="text must be a string, not a number"):
        stage({"text": column(1)})


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as told:
        CleanRows(columns=["a", "a", ""], roles=["user", "user"], direction="up")  # type: ignore[arg-type]
    assert str(told.value).splitlines() == [
        "column 'a' is given twice; once is enough",
        "role 'user' is given twice; once is enough",
        "a column's name is empty; name one",
        "direction 'up' is none of input, output, none",
    ]
