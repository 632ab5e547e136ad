"""``unbarb request``: ask a model that is served, and check what it says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unbarb.cli.job import Job, ended
from unbarb.cli.options import (
    IdColumn,
    InputFile,
    InputFormat,
    PolicyName,
    Quiet,
    Resume,
    TextColumn,
    Texts,
    pair,
)
from unbarb.plugins import missing_extra

DialectName = StrEnum("DialectName", ["openai", "caikit", "kserve"])
Task = StrEnum("Task", ["chat", "completion", "generate", "classify", "infer"])

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="The endpoint: for openai up to /v1, for caikit and kserve what stands before /api and /v2.",
    ),
]
Model = Annotated[str, typer.Option("--model", "-m", metavar="NAME", help="What the endpoint calls it.")]
Speaks = Annotated[DialectName, typer.Option("--dialect", "-d", help="What the endpoint speaks.")]
Asks = Annotated[
    Task | None,
    typer.Option(
        help="openai: chat or completion; caikit: generate or classify; kserve: infer or generate."
        " Default: the first.",
        show_default=False,
    ),
]
TemplateName = Annotated[
    str,
    typer.Option(
        metavar="NAME|DIR",
        help="Words around each text: a built-in template, or a model's folder that has one.",
    ),
]
MaxTokens = Annotated[
    int, typer.Option(min=0, metavar="N", help="Most tokens of an answer; 0 leaves it to the endpoint.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A parameter, sent as it is: temperature=0.2; repeatable."
    ),
]
Stream = Annotated[
    bool,
    typer.Option(
        "--stream",
        help="Have answers streamed. Where they are printed, each sentence is as soon as it is checked, and"
        " one text is asked for at a time.",
    ),
]
Guarded = Annotated[
    bool,
    typer.Option(
        "--guard/--no-guard",
        help="Take answers through the guard. Without it they leave as they came, marked as not verified.",
    ),
]
KeyFrom = Annotated[
    str | None,
    typer.Option(
        metavar="VARIABLE", show_default=False, help="The environment variable that holds the key or token."
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", show_default=False, help="Certificates to trust instead of the system's (PEM)."
    ),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", "-c", min=1, max=256, help="Requests at a time.")
]
Timeout = Annotated[
    float, typer.Option(min=0.001, max=3600, metavar="SECONDS", help="For one text, all tries together.")
]
Retries = Annotated[
    int, typer.Option(min=0, max=20, help="Tries after the first, where the endpoint is busy or away.")
]
InputTensor = Annotated[
    str | None,
    typer.Option(metavar="NAME", show_default=False, help="kserve infer: the input; default: it is asked."),
]
OutputTensor = Annotated[
    str | None, typer.Option(metavar="NAME", show_default=False, help="kserve infer: the output with text.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One answer a line, as JSON, to standard output.")]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write answers to FILE as JSONL. Until all are done it is called FILE.part.",
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("request", short_help="Ask a model that is served, and check what it says.")(request)


def request(
    url: Url,
    model: Model,
    texts: Texts = None,
    dialect: Speaks = DialectName.openai,
    task: Asks = None,
    input: InputFile = None,
    format: InputFormat = None,
    column: TextColumn = "text",
    id_column: IdColumn = None,
    template: TemplateName = "plain",
    max_tokens: MaxTokens = 256,
    set: Parameters = None,
    stream: Stream = False,
    guard: Guarded = True,
    policy: PolicyName = "default",
    key_from: KeyFrom = None,
    ca_file: CaFile = None,
    concurrency: Concurrency = 4,
    timeout: Timeout = 120.0,
    retries: Retries = 4,
    input_tensor: InputTensor = None,
    output_tensor: OutputTensor = None,
    json: AsJson = False,
    output: OutputFile = None,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Ask a model that is served, in Caikit's dialect, KServe's (Open Inference Protocol v2) or OpenAI's.

    What comes back passes the guard before it is shown or written. Certificates are checked, redirects are
    not followed, and a key is read from an environment variable only. An endpoint that is busy or away is
    asked again; a run that was stopped goes on with --resume.

    unbarb request http://localhost:8000/v1 -m detox "what a stupid map"

    unbarb request https://detox.example -d caikit -m opt --stream "Prompt: …"

    unbarb request http://localhost:8000 -d kserve -m default -i in.csv -o out.jsonl

    Exit codes: 0 done, 2 wrong use or an endpoint that cannot be used, 3 some rows could not be read or got
    no answer.
    """
    job = Job(
        texts=texts, input=input, format=format, column=column, id_column=id_column, policy=policy,
        direction="output", json=json, output=output, resume=resume, view="lines", quiet=quiet,
    )  # fmt: skip
    try:
        from unbarb.cli.request_run import Asking, run

        asking = Asking(
            url=url, model=model, dialect=dialect, task=task, template=template, max_tokens=max_tokens,
            parameters=dict(pair(one) for one in set or []), stream=stream, guard=guard,
            key_from=key_from, ca_file=ca_file, concurrency=concurrency, timeout=timeout, retries=retries,
            tensors={"input": input_tensor, "output": output_tensor},
        )  # fmt: skip
        code = ended(job, lambda: run(asking, job))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "unbarb":
            raise
        raise missing_extra("unbarb request", error) from error
    raise typer.Exit(code)
