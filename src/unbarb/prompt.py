"""Templates: the words around a text, one object for training, evaluation and serving.

A template is saved beside the weights that were trained with it (``unbarb_template.json``), so a model
is never asked in words it was not taught. A text is data: where it holds the template's own marks or
a model's control tokens, they are broken by a space, so that a text cannot end its place in the
prompt and begin to give instructions.

    >>> template = built_in("detoxify")
    >>> template.prompt("I don't give a damn.")
    "### Detoxify:\\nI don't give a damn.\\n\\n### detoxified:\\n"
    >>> template.parse("I don't care.\\n\\n### Detoxify:\\nand so on")
    "I don't care."

Templates hold no end-of-sequence token: whoever makes token ids puts the tokenizer's after the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from unbarb.errors import ConfigError, ModelError
from unbarb.text import LABELS

FILE = "unbarb_template.json"
"""The name a template has in the folder of the model it belongs to."""

CHOICES = ("0", "1")
"""What a model may answer for a label: no, yes."""

_SAID = {
    "toxicity": "Toxic",
    "severe_toxicity": "Severely toxic",
    "obscene": "Obscene",
    "threat": "Threat",
    "insult": "Insult",
    "identity_attack": "Identity hate",
}
_CONTROL = re.compile(
    r"<(?=\|[^|<>\n]{1,40}\|>"
    r"|/?(?:s|pad|unk|mask|bos|eos|cls|sep|endoftext|extra_id_\d+|(?:start|end)_of_turn)>"
    r"|</?SYS>>)"
    r"|\[(?=/?(?:INST|CLS|SEP|PAD|MASK|UNK)\])"
)
"""Where a control token of a known family begins: ``<|im_end|>``, ``</s>``, ``[INST]``."""


class ChatTokenizer(Protocol):
    """What a template asks of a tokenizer: its chat template and the names of its special tokens."""

    chat_template: Any
    all_special_tokens: Any

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Template:
    """What stands before and after a text, and how an answer is written and read.

    `marks` are strings the text must not contain and at which a generated answer ends; `lead` stands
    between prompt and answer and belongs to the answer. With `chat`, a tokenizer that has a chat
    template renders the prompt as the user's turn. `labels` makes it a template of classification:
    its answers are one line a label, in this order.
    """

    name: str
    before: str = ""
    after: str = ""
    marks: tuple[str, ...] = ()
    lead: str = ""
    chat: bool = False
    labels: tuple[str, ...] = ()

    def prompt(self, text: str, tokenizer: ChatTokenizer | None = None) -> str:
        """The text in its place; a tokenizer adds its special tokens to the marks, and its chat template.

        A prompt a chat template rendered has its special tokens already: see `rendered_by`.
        """
        specials = tuple(tokenizer.all_special_tokens) if tokenizer is not None else ()
        asked = f"{self.before}{self.guarded(text, specials)}{self.after}"
        if tokenizer is None or not self.rendered_by(tokenizer):
            return asked
        turn = [{"role": "user", "content": asked.strip()}]
        return str(tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))

    def rendered_by(self, tokenizer: ChatTokenizer) -> bool:
        """Whether the tokenizer's chat template writes the prompt; then tokenize without special tokens."""
        return self.chat and bool(getattr(tokenizer, "chat_template", None))

    def ids(self, text: str, tokenizer: Any, *, seq2seq: bool) -> list[int]:
        """The token ids a model is asked with; special tokens as tokenizer or chat template put them."""
        rendered = self.rendered_by(tokenizer)
        found = list(tokenizer(self.prompt(text, tokenizer), add_special_tokens=not rendered)["input_ids"])
        if not seq2seq and found and found[-1] == tokenizer.eos_token_id:
            # Some tokenizers end every text; a causal model must not see an end before its answer.
            found.pop()
        return found

    def guarded(self, text: str, specials: Sequence[str] = ()) -> str:
        """`text` with every mark and control token broken by a space; other texts come back as they are."""
        for mark in (*self.marks, *(one for one in specials if len(one) > 2)):
            text = re.sub(f"({re.escape(mark[0])})(?={re.escape(mark[1:])})", r"\1 ", text, flags=re.I)
        return _CONTROL.sub(lambda found: found.group() + " ", text)

    def answer(self, target: str | Mapping[str, float]) -> str:
        """What a model is to say: the rewrite, or the lines of the labels (.5 and more is yes).

        Raises:
            ConfigError: labels for a template without any, or the other way round, or some are missing.
        """
        if isinstance(target, str) != (not self.labels):
            wanted = "a value for each label" if self.labels else "a text"
            raise ConfigError(f"template {self.name!r} answers with {wanted}, not {type(target).__name__}")
        if isinstance(target, str):
            return self.lead + self.guarded(target.strip())
        missing = [label for label in self.labels if label not in target]
        if missing:
            raise ConfigError(f"template {self.name!r}: no value for {', '.join(missing)}")
        return "\n".join(f"{self.question(one)} {CHOICES[target[one] >= 0.5]}" for one in self.labels)

    def parse(self, generated: str) -> str:
        """The answer in what a model wrote after the prompt: up to the first mark or control token."""
        ends = [
            found.start() for mark in self.marks if (found := re.search(re.escape(mark), generated, re.I))
        ]
        control = _CONTROL.search(generated)
        ends += [control.start()] if control else []
        return generated[: min(ends, default=len(generated))].strip()

    def question(self, label: str) -> str:
        """What stands before the choice for a label: ``Toxic:``. A space and one of `CHOICES` follow."""
        return f"{_SAID.get(label, label.replace('_', ' ').capitalize())}:"

    def values(self, generated: str) -> dict[str, float] | None:
        """Label → 0.0 or 1.0 as read from an answer; None for a refusal or anything else unreadable.

        Only for models asked without a look at their probabilities: those need no reading.
        """
        found = {}
        for label in self.labels:
            line = re.search(
                rf"^\W*{re.escape(self.question(label))}\W*([01])\b",
                generated,
                re.IGNORECASE | re.MULTILINE,
            )
            if line is None:
                return None
            found[label] = float(line.group(1))
        return found or None

    def to_dict(self) -> dict[str, Any]:
        """As written to `FILE`."""
        return {"schema": 1, **asdict(self), "marks": list(self.marks), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Template:
        """The template that `to_dict` wrote.

        Raises:
            ModelError: it is of another version, or has other keys.
        """
        known = {one.name for one in fields(cls)} | {"schema"}
        if content.get("schema") != 1 or set(content) - known or "name" not in content:
            raise ModelError(f"not a template of version 1; its keys are {', '.join(sorted(known))}")
        values = {key: value for key, value in content.items() if key != "schema"}
        for key in ("marks", "labels"):
            values[key] = tuple(values.get(key, ()))
        return cls(**values)

    def save(self, folder: Path) -> None:
        """Write `FILE` into a model's folder."""
        content = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        (folder / FILE).write_text(content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Template:
        """The template in a model's folder.

        Raises:
            ModelError: there is none, or it cannot be read.
        """
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{path}: no readable template ({error}); models trained by unbarb have one,"
                " for another name a built-in one"
            ) from error
        if not isinstance(content, dict):
            raise ModelError(f"{path}: a template is a mapping of keys, not {type(content).__name__}")
        return cls.from_dict(content)


_REWRITE = "Rewrite the text between the tags so that it says the same without toxic language."
_CLASSIFY = (
    "Recognise which of these classes the text between the tags belongs to: {labels}."
    " Answer with one line a class and nothing else: the class, a colon, and 1 for yes or 0 for no."
)
_TAGS = ("<text>", "</text>")

BUILT_IN = {
    # The wording of Stanford Alpaca, with the instruction of the LLaMA-7B detoxifier; see docs/prompt.md.
    "alpaca": Template(
        name="alpaca",
        before="Below is an instruction that describes a task, paired with an input that provides further"
        " context. Write a response that appropriately completes the request.\n\n### Instruction:\n"
        "Rephrase with lower toxicity level.\n\n### Input:\n",
        after="\n\n### Response:\n",
        marks=("###",),
    ),
    "detoxify": Template(
        name="detoxify", before="### Detoxify:\n", after="\n\n### detoxified:\n", marks=("###",)
    ),
    "chat": Template(
        name="chat",
        before=f"{_REWRITE}\n\n<text>\n",
        after="\n</text>\n\nRewritten:\n",
        marks=_TAGS,
        chat=True,
    ),
    "t5-prefix": Template(name="t5-prefix", before="detoxify: "),
    "plain": Template(name="plain"),
    "continuation": Template(
        name="continuation",
        before="Prompt: ",
        after="\nContinuation:",
        marks=("\nPrompt:", "\nContinuation:"),
        lead=" ",
    ),
    "labels": Template(
        name="labels",
        before=f"{_CLASSIFY}\n\n<text>\n",
        after="\n</text>\n\n",
        marks=_TAGS,
        chat=True,
        labels=LABELS,
    ),
}
"""The templates that ship, by name."""


def built_in(
    name: str,
    *,
    prefix: str | None = None,
    instruction: str | None = None,
    labels: Sequence[str] | None = None,
) -> Template:
    """A template that ships, with another prefix (t5-prefix), instruction (alpaca, chat) or labels.

    Raises:
        ConfigError: no such template, or it has nothing of the kind that is to be another.
    """
    if name not in BUILT_IN:
        raise ConfigError(f"unknown template {name!r}; there are {', '.join(BUILT_IN)}")
    template = BUILT_IN[name]
    before = template.before
    for option, given, has in (
        ("prefix", prefix, name == "t5-prefix"),
        ("instruction", instruction, name in ("alpaca", "chat")),
        ("labels", labels, name == "labels"),
    ):
        if given is not None and not has:
            raise ConfigError(f"template {name!r} has no {option}; leave it out")
    if prefix is not None:
        before = prefix
    if instruction is not None:
        before = before.replace(
            "Rephrase with lower toxicity level." if name == "alpaca" else _REWRITE, instruction
        )
    kept = tuple(labels) if labels is not None else template.labels
    if kept:
        before = before.replace("{labels}", ", ".join(template.question(one)[:-1] for one in kept))
    return Template(name, before, template.after, template.marks, template.lead, template.chat, kept)
