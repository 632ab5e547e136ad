"""What manifests are asked for: the kinds there are, what each needs, and what is wrong with a wish."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from unbarb.deploy.manifests.names import (
    LONGEST,
    Replicas,
    did_you_mean,
    quantity,
    wrong_image,
    wrong_name,
    wrong_object_name,
    wrong_place,
    wrong_quantity,
)
from unbarb.errors import ConfigError
from unbarb.policy import PRESETS

LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM makes room for. Source: its ``LoRAConfig``, ``max_lora_rank``."""

GUARD_CPU, GUARD_MEMORY = "2", "1Gi"
"""What a container of unbarb gets where nothing is said."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of manifests: what it runs, and what it takes.

    `model` says whether a place of a model is needed, may be given, or not.
    """

    what: str
    image: str
    model: str
    cpu: str
    memory: str
    gpus: int = 0
    replicas: str = "1"
    guard: bool = False
    adapter: bool = False
    predictor: bool = True


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "huggingface": Kind(
            "KServe's Hugging Face runtime: classifiers, T5 and BART, language models",
            "kserve/huggingfaceserver:v0.16.0", "needed", "2", "4Gi",
        ),
        "vllm": Kind(
            "vLLM on KServe, with a LoRA adapter over its base where --adapter names one",
            "vllm/vllm-openai:v0.18.0", "needed", "4", "16Gi", gpus=1, adapter=True,
        ),
        "caikit": Kind(
            "Caikit alone on KServe: it loads the model itself",
            "quay.io/opendatahub/caikit-nlp:stable", "needed", "2", "4Gi",
        ),
        "caikit-tgis": Kind(
            "Caikit in front of TGIS, two containers of one pod on KServe",
            "quay.io/opendatahub/text-generation-inference:stable", "needed", "4", "8Gi",
        ),
        "unbarb": Kind(
            "unbarb itself as a predictor of KServe: v1 predict, v2 infer and all its own dialects",
            "", "may", GUARD_CPU, GUARD_MEMORY, replicas="2-4", guard=True,
        ),
        "transformer": Kind(
            "unbarb as a transformer in front of a model that chats: what goes in and comes out is guarded",
            "", "needed", "", "", guard=True, adapter=True,
        ),
        "service": Kind(
            "the service without KServe: a Kustomize base for several replicas over PostgreSQL",
            "", "not", GUARD_CPU, GUARD_MEMORY, replicas="2-6", guard=True, predictor=False,
        ),
    }
)  # fmt: skip
"""Name → kind, in the order of the help."""

CHATTING = ("vllm", "huggingface")
"""Predictors that speak OpenAI's API, which the proxy guards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Manifests as they are asked for; None is the default of the kind.

    Args:
        kind: one of `KINDS`.
        name: of the service, a DNS label; everything else is called after it.
        model: where the model is, such as ``s3://bucket/prefix``; of the vLLM kinds the base model.
        adapter: where a LoRA adapter is.
        lora_rank: the adapter's rank (``r``).
        namespace: written into the manifests.
        image: of the container that serves the model, or of unbarb where it serves itself.
        unbarb_image: of unbarb in front of a predictor.
        s3_secret: the Secret with the store's keys; a ServiceAccount that refers to it is written.
        service_account: one that is there already, in place of `s3_secret`.
        storage_key: the entry of KServe's Secret ``storage-config`` in place of both.
        cpu, memory: quantities, of the container that serves the model.
        replicas: "2" or "2-6".
        policy: a preset or a policy file.
        keys_secret: the Secret with the file of API keys; ``NAME-keys`` when left out.
        database: of the record, ``postgresql://USER@HOST/DATABASE`` without a password.
        database_secret: the Secret with the password; ``NAME-database`` when left out.
        predictor: what a transformer stands in front of, one of `CHATTING`.
        upstream: the OpenAI-compatible server that a service passes chats on to.

    Raises:
        ConfigError: something is not valid; the message lists all that is wrong.
    """

    kind: str
    name: str
    model: str | None = None
    adapter: str | None = None
    lora_rank: int = 16
    namespace: str | None = None
    image: str | None = None
    unbarb_image: str | None = None
    s3_secret: str | None = None
    service_account: str | None = None
    storage_key: str | None = None
    cpu: str | None = None
    memory: str | None = None
    gpus: int | None = None
    replicas: str | None = None
    policy: str = "default"
    keys_secret: str | None = None
    unsafe_no_keys: bool = False
    database: str | None = None
    database_secret: str | None = None
    predictor: str = "vllm"
    upstream: str | None = None
    _serving: Kind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS)
            raise ConfigError(f"kind {self.kind!r}: there are {', '.join(KINDS)}{hint}")
        if self.predictor not in CHATTING:
            raise ConfigError(
                f"--predictor {self.predictor!r}: what stands behind the guard must speak OpenAI's API;"
                f" {' and '.join(CHATTING)} do"
            )
        serving = KINDS[self.predictor if self.kind == "transformer" else self.kind]
        object.__setattr__(self, "_serving", serving)
        problems = [
            *self._wrong_names(),
            *self._wrong_places(),
            *self._wrong_sizes(),
            *self._wrong_record(),
        ]
        if problems:
            raise ConfigError("\n".join(problems))

    @property
    def guard(self) -> bool:
        """Whether unbarb runs in it."""
        return KINDS[self.kind].guard

    @property
    def runtime(self) -> str:
        """The kind whose container serves the model."""
        return self.predictor if self.kind == "transformer" else self.kind

    @property
    def container_image(self) -> str:
        if self.image is None and self.runtime == "huggingface" and self.gpu_count:
            return f"{self._serving.image}-gpu"
        return self.image or self._serving.image

    @property
    def cores(self) -> str:
        return self.cpu or self._serving.cpu

    @property
    def bytes(self) -> str:
        return self.memory or self._serving.memory

    @property
    def gpu_count(self) -> int:
        return self._serving.gpus if self.gpus is None else self.gpus

    @property
    def copies(self) -> Replicas:
        return Replicas.parse(self.replicas or self._serving.replicas)

    @property
    def account(self) -> str | None:
        """The ServiceAccount that the pods run as."""
        return self.service_account or (f"{self.name}-models" if self.s3_secret else None)

    @property
    def keys(self) -> str:
        return self.keys_secret or f"{self.name}-keys"

    @property
    def password(self) -> str:
        return self.database_secret or f"{self.name}-database"

    @property
    def record(self) -> str | None:
        """The URL of the record, with TLS unless it says otherwise; None where no record is kept."""
        if self.database is None:
            if self.kind != "service":
                return None
            return f"postgresql://unbarb@{self.name}-postgresql:5432/unbarb?sslmode=disable"
        if "sslmode" in parse_qs(urlsplit(self.database).query):
            return self.database
        return f"{self.database}{'&' if '?' in self.database else '?'}sslmode=require"

    def _wrong_names(self) -> Iterator[str]:
        yield from _some(wrong_name(self.name, "--name", LONGEST))
        if self.namespace is not None:
            yield from _some(wrong_name(self.namespace, "--namespace"))
        for given, option in (
            (self.s3_secret, "--s3-secret"),
            (self.service_account, "--service-account"),
            (self.keys_secret, "--keys-secret"),
            (self.database_secret, "--database-secret"),
        ):
            if given is not None:
                yield from _some(wrong_object_name(given, option))
        yield from self._wrong_images()
        if self.model is None and (self.s3_secret or self.storage_key):
            yield "--s3-secret and --storage-key are for fetching a model, and no --model is given"
        ways = {
            "--s3-secret": self.s3_secret,
            "--service-account": self.service_account,
            "--storage-key": self.storage_key,
        }
        if len(several := [option for option, given in ways.items() if given]) > 1:
            yield f"{' and '.join(several)} are given; give one of them"

    def _wrong_images(self) -> Iterator[str]:
        if self.kind == "transformer" or self._serving.guard:
            option = "--unbarb-image" if self.kind == "transformer" else "--image"
            if (self.unbarb_image if self.kind == "transformer" else self.image) is None:
                yield (
                    f"{option} is missing: the image of unbarb in your registry; make it with the"
                    " Containerfile, `podman build -t REGISTRY/unbarb:TAG .`, and push it"
                )
        for given, option in ((self.container_image, "--image"), (self.unbarb_image, "--unbarb-image")):
            if given:
                yield from _some(wrong_image(given, option))

    def _wrong_places(self) -> Iterator[str]:
        kind = KINDS[self.kind]
        if self.model is None and kind.model == "needed":
            yield f"--model is missing: where the model of {self.kind} is, as s3://BUCKET/PREFIX"
        if self.model is not None and kind.model == "not":
            yield "--model: the service carries its model in its image; another kind takes one"
        elif self.model is not None:
            yield from _some(wrong_place(self.model, "--model"))
        if self.adapter is not None:
            takes = kind.adapter and self.runtime == "vllm"
            yield from _some(
                wrong_place(self.adapter, "--adapter")
                if takes
                else f"--adapter: {self.runtime} takes none; vllm does, or see `unbarb export --to merged`"
            )
        if not 1 <= self.lora_rank <= LORA_RANKS[-1]:
            yield f"--lora-rank {self.lora_rank}: give the adapter's r, from 1 to {LORA_RANKS[-1]}"
        if self.storage_key is not None:
            if self.adapter is not None or self.runtime.startswith("caikit"):
                yield "--storage-key: it serves one model at its usual place; here give --s3-secret"
            if self.model is not None and not self.model.startswith("s3://"):
                yield "--storage-key: it is for a model on s3://"
        if self.upstream is not None:
            yield from _some(self._wrong_upstream(self.upstream))

    def _wrong_upstream(self, upstream: str) -> str | None:
        if self.kind != "service":
            return f"--upstream: a {self.kind} does not pass chats on by an address; service does"
        parts = urlsplit(upstream)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            return f"--upstream {upstream!r}: give http://HOST:PORT/v1 or https://HOST/v1"
        return None

    def _wrong_sizes(self) -> Iterator[str]:
        yield from _some(wrong_quantity(self.cores, "--cpu", "50m", "2 or 500m"))
        yield from _some(wrong_quantity(self.bytes, "--memory", "256Mi", "4Gi"))
        if self.gpu_count < 0:
            yield f"--gpus {self.gpu_count}: 0 or more"
        if self.runtime == "vllm" and self.gpu_count == 0 and self.image is None:
            yield "--gpus 0: vLLM's usual image needs one; name its build for processors with --image"
        if self.gpu_count and self._serving.guard:
            yield f"--gpus {self.gpu_count}: unbarb runs on processors"
        try:
            Replicas.parse(self.replicas or self._serving.replicas)
        except ConfigError as error:
            yield str(error)

    def _wrong_record(self) -> Iterator[str]:
        if not self.guard:
            for given, option in ((self.database, "--database"), (self.unsafe_no_keys, "--unsafe-no-keys")):
                if given:
                    yield f"{option}: {self.kind} runs no unbarb; unbarb, transformer and service do"
            return
        if self.policy not in PRESETS and not re.search(r"\.ya?ml$", self.policy):
            hint = did_you_mean(self.policy, PRESETS)
            yield f"--policy {self.policy!r}: give one of {', '.join(PRESETS)}, or a .yaml file{hint}"
        if self.database is None:
            return
        parts = urlsplit(self.database)
        if (
            parts.scheme not in ("postgresql", "postgresql+psycopg")
            or not parts.hostname
            or not parts.path[1:]
        ):
            yield "--database: give postgresql://USER@HOST/DATABASE; several replicas share no file"
        elif parts.password is not None or "password" in parse_qs(parts.query):
            yield f"--database: leave the password out; it is read from the Secret {self.password}"
        elif not parts.username:
            yield "--database: the user is missing: postgresql://USER@HOST/DATABASE"

    @property
    def threads(self) -> int:
        """Texts that unbarb works on side by side: as many as its container has whole cores."""
        cores = self.cores if self._serving.guard else GUARD_CPU
        return max(1, int(quantity(cores)))


def _some(problem: str | None) -> Iterator[str]:
    if problem is not None:
        yield problem
