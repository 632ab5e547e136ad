"""Run inside Caikit's own environment: loads folders and prints what they say, as JSON.

``python caikit_loads.py IDS TEXT FOLDER…``: for each folder the logits after the token `IDS`, in float32,
and what the model writes to `TEXT`, greedily.
"""

from __future__ import annotations

import json
import sys

import caikit
import caikit_nlp  # noqa: F401 - brings the modules that the folders name
import torch


def said(folder: str, ids: list[int], text: str) -> dict[str, object]:
    loaded = caikit.load(folder)
    model, row = loaded.model.model, torch.tensor([ids])
    more = {"decoder_input_ids": row} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        logits = model(input_ids=row, **more).logits[0, -1].float().tolist()
    written = loaded.run(text, max_new_tokens=8, preserve_input_text=False)
    return {
        "module": type(loaded).__name__, "dtype": str(model.dtype), "logits": logits,
        "text": written.generated_text, "tokens": written.generated_tokens,
    }  # fmt: skip


ids, text, *folders = sys.argv[1:]
print(json.dumps([said(folder, json.loads(ids), text) for folder in folders]))
