"""``unbarb deploy manifests`` and ``check``: Kubernetes YAML, written and held against the schemas."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbarb.deploy.manifests.wanted import CHATTING, KINDS
from unbarb.errors import ConfigError, InputError
from unbarb.plugins import missing_extra

if TYPE_CHECKING:
    from unbarb.deploy.manifests.documents import Document, Problem
    from unbarb.deploy.manifests.schemas import Schemas
    from unbarb.deploy.manifests.wanted import Wanted

_KINDS = "\n".join(f"  {name:<12} {kind.what}" for name, kind in KINDS.items())
_HELP = f"""Write the Kubernetes manifests that run a model, or unbarb itself.

\b
KIND is one of:
{_KINDS}

No credential is written: manifests name Secrets, and what is left to do, the commands that make them among
it, is told on standard error. What is written was checked before: that it holds together, and, with the
extra 'kubernetes', against the published schemas of KServe and Kubernetes.

\b
  unbarb deploy manifests vllm --name chat --model s3://models/base \\
      --adapter s3://models/detox-lora --s3-secret models-s3 -o chat/
  unbarb deploy manifests service --name unbarb --image registry.example/unbarb:0.1.0 -o k8s/

Exit codes: 0 done, 2 something is not valid; nothing is written then.
"""

Release = Annotated[
    str | None,
    typer.Option("--kubernetes", metavar="X.Y", show_default=False,
                 help="The cluster's release. Default: the newest whose schemas are installed."),
]  # fmt: skip
Definitions = Annotated[
    list[Path] | None,
    typer.Option("--crd", metavar="FILE", show_default=False,
                 help="The cluster's own definition, from `kubectl get crd NAME -o yaml`; repeat."),
]  # fmt: skip

Model = Annotated[
    str | None,
    typer.Option(metavar="URI", show_default=False, help="Where the model is: s3://BUCKET/PREFIX."),
]
Adapter = Annotated[
    str | None,
    typer.Option(metavar="URI", show_default=False, help="A LoRA adapter for vLLM to put over it."),
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", show_default=False, help="Written in, where given."),
]
Image = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", show_default=False, help="Of what serves; unbarb's own is needed."),
]
GuardImage = Annotated[
    str | None, typer.Option(metavar="IMAGE", show_default=False, help="transformer: the image of unbarb.")
]
S3Secret = Annotated[
    str | None, typer.Option(metavar="NAME", show_default=False, help="The Secret with the store's keys.")
]
Account = Annotated[
    str | None,
    typer.Option(metavar="NAME", show_default=False, help="A ServiceAccount that may read the store."),
]
StorageKey = Annotated[
    str | None,
    typer.Option(metavar="KEY", show_default=False, help="An entry of KServe's Secret storage-config."),
]
Cpu = Annotated[str | None, typer.Option(metavar="N", show_default=False, help="Cores: 2 or 500m.")]
Memory = Annotated[str | None, typer.Option(metavar="N", show_default=False, help="Memory: 4Gi.")]
Gpus = Annotated[
    int | None, typer.Option(metavar="N", show_default=False, help="GPUs; vllm has 1 when left out.")
]
Copies = Annotated[
    str | None,
    typer.Option(metavar="N|N-M", show_default=False, help="Copies; or from and to, by load: 2-6."),
]
KeysSecret = Annotated[
    str | None,
    typer.Option(metavar="NAME", show_default=False, help="Secret with API keys. Default: NAME-keys."),
]
Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL", show_default=False, help="unbarb's record: postgresql://USER@HOST/DATABASE."
    ),
]
DatabaseSecret = Annotated[
    str | None,
    typer.Option(metavar="NAME", show_default=False, help="With its password. Default: NAME-database."),
]
Upstream = Annotated[
    str | None,
    typer.Option(metavar="URL", show_default=False, help="service: where chats are passed on to."),
]
LoraRank = Annotated[int, typer.Option(metavar="R", help="The adapter's rank: r in adapter_config.json.")]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FOLDER|-", help="A folder; -: standard output.")
]
PolicyOf = Annotated[str, typer.Option("--policy", "-p", metavar="NAME|FILE", help="unbarb's policy.")]
Open = Annotated[bool, typer.Option("--unsafe-no-keys", help="Let whoever reaches unbarb use it.")]
Guarded = Annotated[
    str, typer.Option(metavar="KIND", help=f"transformer: what it guards, {' or '.join(CHATTING)}.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over files that were changed.")]


def register(group: typer.Typer) -> None:
    """Add the commands to `group`."""
    group.command(
        "manifests", help=_HELP, short_help="Write the Kubernetes manifests of a model or of unbarb."
    )(manifests)
    group.command("check")(check)


def manifests(
    kind: Annotated[str, typer.Argument(metavar="KIND", show_default=False, help="See above.")],
    name: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="Of the service: a DNS label.")
    ],
    output: Output = "-",
    model: Model = None,
    adapter: Adapter = None,
    lora_rank: LoraRank = 16,
    namespace: Namespace = None,
    image: Image = None,
    unbarb_image: GuardImage = None,
    s3_secret: S3Secret = None,
    service_account: Account = None,
    storage_key: StorageKey = None,
    cpu: Cpu = None,
    memory: Memory = None,
    gpus: Gpus = None,
    replicas: Copies = None,
    policy: PolicyOf = "default",
    keys_secret: KeysSecret = None,
    unsafe_no_keys: Open = False,
    database: Database = None,
    database_secret: DatabaseSecret = None,
    predictor: Guarded = "vllm",
    upstream: Upstream = None,
    kubernetes: Release = None,
    crd: Definitions = None,
    force: Force = False,
) -> None:
    # The text that --help shows is _HELP.
    from unbarb.deploy.manifests.wanted import Wanted

    wanted = Wanted(
        kind=kind, name=name, model=model, adapter=adapter, lora_rank=lora_rank, namespace=namespace,
        image=image, unbarb_image=unbarb_image, s3_secret=s3_secret, service_account=service_account,
        storage_key=storage_key, cpu=cpu, memory=memory, gpus=gpus, replicas=replicas, policy=policy,
        keys_secret=keys_secret, unsafe_no_keys=unsafe_no_keys, database=database,
        database_secret=database_secret, predictor=predictor, upstream=upstream,
    )  # fmt: skip
    _write(wanted, output, _schemas_or_none(crd or (), kubernetes), force)


def _write(wanted: Wanted, output: str, schemas: Schemas | None, force: bool) -> None:
    from unbarb.deploy.manifests import references
    from unbarb.deploy.manifests.steps import steps
    from unbarb.deploy.manifests.written import differing, write, written

    made = written(wanted)
    wrong = _problems(made.documents, schemas)
    if wrong:
        listed = "\n".join(map(str, wrong))
        raise ConfigError(f"these manifests would not be taken by the cluster:\n{listed}")
    folder = None if output == "-" else Path(output)
    if folder is None:
        typer.echo(made.stream, nl=False)
    else:
        if not force and (changed := differing(made.files, folder)):
            raise InputError(
                f"{folder}: {', '.join(changed)} would be written over; give --force, or another folder"
            )
        try:
            write(made.files, folder)
        except OSError as error:
            raise InputError(f"{error.filename or folder}: cannot be written ({error.strerror})") from error
        for place in made.files:
            typer.echo(str(folder / place))
    _tell(_checked(schemas))
    if wanted.guard and wanted.record is None:
        _tell("note: unbarb keeps no record of its decisions here; --database keeps one")
    _tell("to do:")
    for line in steps(wanted, references.needs(made.documents), str(folder) if folder else None):
        _tell(f"  {line}")


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER...", help="YAML files, or folders of them.")
    ],
    crd: Definitions = None,
    kubernetes: Release = None,
    json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
) -> None:
    """Check manifests offline, as a cluster would: fields, types, names, references; no credentials.

    KServe's definitions are known here; --crd gives the cluster's own, or those of another kind. Kustomize
    is not run: a folder is checked file by file. `kubectl kustomize FOLDER > all.yaml` writes all.

    Exit codes: 0 all are valid, 2 some are not.
    """
    from unbarb.deploy.manifests import kustomize, references
    from unbarb.deploy.manifests.documents import read

    schemas = _schemas(crd or (), kubernetes)
    documents, wrong = read(paths)
    made_of = kustomize.inputs(documents)
    documents = [one for one in documents if Path(one.file).resolve() not in made_of]
    wrong = [one for one in wrong if Path(one.document.file).resolve() not in made_of]
    wrong += _problems(documents, schemas)
    needed = references.needs(documents)
    if json:
        outcome: dict[str, Any] = {
            "valid": not wrong,
            "manifests": len(documents),
            "kubernetes": schemas.release,
            "problems": [
                {
                    "file": one.document.file,
                    "line": one.document.line(one.path),
                    "kind": one.document.kind,
                    "name": one.document.name,
                    "path": list(one.path),
                    "problem": one.text,
                }
                for one in wrong
            ],
            "needs": [{"kind": one.kind, "name": one.name, "keys": list(one.keys)} for one in needed],
        }
        typer.echo(json_format.dumps(outcome, ensure_ascii=False))
    else:
        for problem in wrong:
            _tell(str(problem))
        for need in needed:
            keys = f" with {', '.join(need.keys)}" if need.keys else ""
            typer.echo(f"in the cluster there must be: {need.kind} {need.name}{keys}")
        count = f"{len(documents)} manifest{'' if len(documents) == 1 else 's'}"
        state = f"{len(wrong)} problem{'' if len(wrong) == 1 else 's'}" if wrong else "valid"
        typer.echo(f"{count}: {state} (Kubernetes {schemas.release})")
    if wrong:
        raise typer.Exit(2)


def _problems(documents: Sequence[Document], schemas: Schemas | None) -> list[Problem]:
    from unbarb.deploy.manifests import kustomize, references

    found = [problem for one in documents for problem in schemas.problems(one)] if schemas else []
    return [*found, *references.problems(documents), *kustomize.problems(documents)]


def _schemas(definitions: Sequence[Path], release: str | None) -> Schemas:
    try:
        from unbarb.deploy.manifests.schemas import Schemas
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("unbarb"):
            raise
        raise missing_extra("unbarb deploy check", error) from error
    return Schemas(definitions, release)


def _schemas_or_none(definitions: Sequence[Path], release: str | None) -> Schemas | None:
    """The schemas; None where the extra is missing and none were asked for by name."""
    from unbarb.errors import MissingExtra

    try:
        return _schemas(definitions, release)
    except MissingExtra:
        if definitions or release:
            raise
        return None


def _checked(schemas: Schemas | None) -> str:
    if schemas is None:
        return (
            "checked: names and references; not checked against the schemas, which need"
            " pip install 'unbarb[kubernetes]'"
        )
    return f"checked: names, references, and the schemas of KServe and Kubernetes {schemas.release}"


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
