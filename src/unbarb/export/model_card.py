"""Writes the card of an exported model, ``README.md`` with the hub's header, from what its run recorded.

Nothing is made up: what ``run.json`` does not say, the card says is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from unbarb.detect.folder import file_digests
from unbarb.export.trained import Kind, Trained

_TASKS: Mapping[Kind, str] = {
    "seq2seq": "text-generation",
    "causal": "text-generation",
    "classification": "text-classification",
}
_USE: Mapping[Kind, str] = {
    "seq2seq": "Proposes neutral rewrites of toxic text. What it proposes is to be checked before anyone"
    " sees it; a guard of unbarb does so.",
    "causal": "Proposes neutral rewrites of toxic text, or scores text by label, as its template says. What"
    " it proposes is to be checked before anyone sees it; a guard of unbarb does so.",
    "classification": "Scores text by label, for moderation with a person to appeal to.",
}
LIMITS = (
    "It knows the language and the kind of text it was trained on, and no other.",
    "It makes mistakes: it misses toxicity, and it takes plain text for toxic, more often where groups of"
    " people are named.",
    "A rewrite can lose or change what was meant. Threats, doxxing, self-harm and sexual content about"
    " minors are not to be rewritten.",
    "It is no judgement of a person, and must not be the only ground of a decision about one.",
)


def write_card(trained: Trained, out: Path, exported: Mapping[str, Any]) -> None:
    """Write ``README.md`` into `out`; `exported` is what the export measured (format, checks, sizes)."""
    header = yaml.safe_dump(_header(trained), sort_keys=False, allow_unicode=True)
    body = "\n".join(_body(trained, out, exported))
    (out / "README.md").write_text(f"---\n{header}---\n\n{body}\n", encoding="utf-8")


def _header(trained: Trained) -> dict[str, Any]:
    run = trained.run
    base = run.get("base")
    name = base.get("name") if isinstance(base, dict) else None
    data = run.get("data")
    return {
        "library_name": "unbarb",
        "pipeline_tag": _TASKS[trained.kind],
        "tags": ["unbarb", "toxicity", "detoxification"],
        **({"base_model": name} if name and not Path(name).is_dir() else {}),
        **({"license": data["licence"]} if isinstance(data, dict) and "licence" in data else {}),
    }


def _body(trained: Trained, out: Path, exported: Mapping[str, Any]) -> Iterator[str]:
    run = trained.run
    yield f"# {run.get('name') or out.name}\n"
    yield f"## Intended use\n\n{_USE[trained.kind]}\n"
    yield f"## Data\n\n{_data(trained)}\n"
    facts = ("objective", "base", "modules", "parameters", "best_step", "seconds")
    yield f"## Recipe\n\n{_told(run, facts)}"
    recipe = (trained.beside or trained.folder.path).parent / "recipe.yaml"
    if run and recipe.is_file():
        yield f"```yaml\n{recipe.read_text('utf-8').strip()}\n```\n"
    if trained.template is not None:
        asked = trained.template.prompt("TEXT")
        yield f"## How it is asked\n\nTemplate `{trained.template.name}`:\n\n```\n{asked}\n```\n"
    yield f"## Figures\n\nOn the dev rows of its own data:\n\n{_told(run, ('metrics', 'dev', 'final'))}"
    yield f"## This export\n\n{_lines(exported)}\n"
    yield "## Limits\n\n" + "\n".join(f"- {limit}" for limit in LIMITS) + "\n"
    yield f"## Digests\n\nSHA-256.\n\n{_lines({**run.get('digests', {}), **file_digests(out)})}\n"
    yield f"## Versions\n\n{_told(run, ('versions',))}"


def _data(trained: Trained) -> str:
    data = trained.run.get("data")
    if isinstance(data, dict):
        return _lines(data)
    digest = trained.run.get("digests", {}).get("data")
    told = f"Prepared set with the digest `{digest}`. " if digest else "Not recorded. "
    return (
        told
        + "Its manifest names the corpora and their licences; the licence of these weights follows them."
    )


def _told(run: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Those facts of a run that it recorded."""
    known = {name: run[name] for name in names if run.get(name) is not None}
    return (_lines(known) if known else "Not recorded.") + "\n"


def _lines(facts: Mapping[str, Any], indent: str = "") -> str:
    """A nested list."""
    rows = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            rows += [f"{indent}- {name}:", _lines(value, indent + "  ")] if value else []
        elif isinstance(value, list | tuple):
            rows.append(f"{indent}- {name}: {', '.join(map(_figure, value))}")
        else:
            rows.append(f"{indent}- {name}: {_figure(value)}")
    return "\n".join(rows)


def _figure(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
