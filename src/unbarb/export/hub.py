"""Puts an exported model on a hub; whether that can be done is asked before any work."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from unbarb.errors import ConfigError, InputError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def check_hub(repository: str, api: HfApi | None = None) -> str:
    """Whether `repository` can be written to from here; gives the account.

    Raises:
        ConfigError: it is no name, or there is no token, or one that is not taken.
        InputError: the hub cannot be reached.
    """
    if not _NAME.fullmatch(repository):
        raise ConfigError(f"--push {repository!r} is not the name of a repository, as my-team/my-model")
    hub = api or HfApi()
    try:
        account = str(hub.whoami()["name"])
    except LocalTokenNotFoundError as error:
        raise ConfigError(
            f"--push {repository}: there is no token for {hub.endpoint}; run `hf auth login`, or set"
            " HF_TOKEN"
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        if status in (401, 403):
            raise ConfigError(
                f"--push {repository}: {hub.endpoint} does not take the token; make one that may write and"
                " run `hf auth login`"
            ) from error
        told = f"--push {repository}: {hub.endpoint} answered {status}; try again later"
        raise InputError(told) from error
    except Exception as error:  # no network: httpx, requests and sockets each have classes of their own
        raise InputError(
            f"--push {repository}: {hub.endpoint} cannot be reached ({type(error).__name__}); leave out"
            " --push and upload the folder where there is a network: `hf upload`"
        ) from error
    return account


def push(folder: Path, repository: str, *, private: bool = True, api: HfApi | None = None) -> str:
    """Upload `folder` as it is and give the address; the repository is made when it is not there.

    Raises:
        InputError: the hub refused, or was lost on the way; the folder is still here.
    """
    hub = api or HfApi()
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Export by unbarb")
    except Exception as error:
        raise InputError(
            f"{folder} is written, and {hub.endpoint} did not take it ({type(error).__name__}: {error});"
            f" upload it with `hf upload {repository} {folder}`"
        ) from error
    return f"{hub.endpoint}/{repository}"
