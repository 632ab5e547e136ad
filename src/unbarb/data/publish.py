"""Pushes a prepared set to a repository of a Hugging Face hub, with a card that says what it holds.

Needs the package ``huggingface_hub``. The address is that of the variable ``HF_ENDPOINT``, the token
that of ``HF_TOKEN`` or of ``hf auth login``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import yaml

from unbarb.data.prepared import MANIFEST, SPLITS, Prepared
from unbarb.errors import ConfigError, InputError, MissingExtra

NAME = re.compile(r"[\w.-]+/[\w.-]+")
DEFAULT_ENDPOINT = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that answered, and knows the token; made by `reach`."""

    endpoint: str
    api: Any

    def push(self, prepared: Prepared, repository: str, *, private: bool = True) -> str:
        """Make the repository where there is none, write the set in one commit, give its address.

        Raises:
            InputError: the hub would not take it.
        """
        add = import_module("huggingface_hub").CommitOperationAdd
        names = [*prepared.manifest["files"], MANIFEST]
        files = [add(path_in_repo=name, path_or_fileobj=str(prepared.folder / name)) for name in names]
        files.append(add(path_in_repo="README.md", path_or_fileobj=card(prepared, repository).encode()))
        try:
            self.api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
            self.api.create_commit(
                repository, files, repo_type="dataset", commit_message=f"Set {prepared.digest[:12]}"
            )
        except Exception as error:  # classes of another package, by what went wrong
            raise InputError(f"{self.endpoint} did not take {repository}: {_told(error)}") from error
        return f"{self.endpoint}/datasets/{repository}"


def reach(repository: str) -> Hub:
    """Make sure, before any work, that `repository` can be pushed to.

    Raises:
        ConfigError: it is no ``org/name``, there is no token, or the token may not write there.
        InputError: the hub cannot be reached.
        MissingExtra: the package ``huggingface_hub`` is not installed.
    """
    if not NAME.fullmatch(repository):
        raise ConfigError(f"--push {repository}: a repository is org/name, as in my-team/detox-pairs")
    try:
        hub = import_module("huggingface_hub")
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature("--push", "huggingface_hub", "train") from error
    endpoint = os.environ.get("HF_ENDPOINT", DEFAULT_ENDPOINT).rstrip("/")
    token = hub.get_token()
    if token is None:
        raise ConfigError(
            f"--push {repository}: no token for {endpoint}; run `hf auth login`, or set HF_TOKEN to a token"
            " that may write"
        )
    api = hub.HfApi(endpoint=endpoint, token=token)
    try:
        who = api.whoami()
    except Exception as error:  # no network, a refused token: each raises classes of another package
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise ConfigError(
                f"--push {repository}: {endpoint} refused the token; make one that may write"
            ) from error
        raise InputError(
            f"--push {repository}: {endpoint} cannot be reached ({_told(error)});"
            " prepare without --push now and push later: `unbarb data prepare --out FOLDER --push …`"
        ) from error
    owners = [who["name"], *(org["name"] for org in who.get("orgs", ()))]
    if repository.split("/")[0] not in owners:
        raise ConfigError(
            f"--push {repository}: the token is of {who['name']} and may write to {', '.join(owners)}"
        )
    return Hub(endpoint, api)


def card(prepared: Prepared, repository: str) -> str:
    """The page of the set on the hub: its splits for ``load_dataset``, sources, licences and drops."""
    manifest = prepared.manifest
    files = [{"split": "validation" if name == "dev" else name, "path": f"{name}.jsonl"} for name in SPLITS
             if manifest["rows"][name]]  # fmt: skip
    head = yaml.safe_dump(
        {
            "configs": [{"config_name": "default", "data_files": files}],
            "tags": ["detoxification", "unbarb"],
        },
        sort_keys=False,
    )
    sources = "\n".join(
        f"- {source['name']}: {source['rows']:,} rows"
        + (f", {source['licence']}, {source['url']}" if source.get("licence") else "")
        for source in manifest.get("sources", ())
    )
    counts = ", ".join(f"{count:,} {name}" for name, count in manifest["rows"].items())
    drops = ", ".join(f"{count:,} {reason}" for reason, count in manifest.get("drops", {}).items())
    return (
        f"---\n{head}---\n# {repository.split('/')[1]}\n\n"
        f"{counts} rows ({prepared.kind}). No normalised source is in two splits. Texts hold rude"
        f" language.\n\nDigest `{prepared.digest}`; `{MANIFEST}` has those of the files, the options, and"
        f" what was left out ({drops or 'nothing'}).\n\n## Sources\n\n{sources or 'not recorded'}\n"
    )


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no answer'}"
