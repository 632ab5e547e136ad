"""``unbarb serve``: guards over HTTP."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbarb.audit import DEFAULT_URL
from unbarb.cli.options import pair
from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra

if TYPE_CHECKING:
    from unbarb.serve.settings import Settings

Port = Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on. One that others can reach needs --keys.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes; each loads the model and shares the port.")]
PolicyDefault = Annotated[
    str,
    typer.Option("--policy", "-p", metavar="NAME|FILE", help="The policy of requests that name none."),
]
Policies = Annotated[
    Path | None,
    typer.Option(metavar="DIR", show_default=False, help="Policy files; read again when they change."),
]
Keys = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="API keys, made by `unbarb keys create`."),
]
UnsafeNoKeys = Annotated[
    bool, typer.Option("--unsafe-no-keys", help="Let whoever reaches the address use the service.")
]
Audit = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The record of decisions: sqlite:///FILE or postgresql://…"),
]
AuditKeys = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="The record's keys. SQLite: beside its file."),
]
NoAudit = Annotated[bool, typer.Option("--no-audit", help="Keep no record of decisions.")]
Dialects = Annotated[
    str | None, typer.Option(metavar="A,B,…", show_default=False, help="Which dialects. Default: all.")
]
Upstream = Annotated[
    str | None,
    typer.Option(
        metavar="URL", show_default=False, help="The OpenAI-compatible server that chats are passed on to."
    ),
]
Rate = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", show_default=False, help="Requests a minute for each key."),
]
Cors = Annotated[
    list[str] | None,
    typer.Option("--cors", metavar="ORIGIN", help="A web page's origin that may call; repeat for more."),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", metavar="NAME", help="A name that requests may call us by; repeat."),
]
OpenMetrics = Annotated[bool, typer.Option("--open-metrics", help="Show /metrics without a key.")]
Telemetry = Annotated[
    bool, typer.Option("--telemetry", help="OpenTelemetry spans, to the provider that is set up.")
]
Drain = Annotated[float, typer.Option(min=0, help="Seconds that requests in flight get at the end.")]
DrainDelay = Annotated[
    float, typer.Option(min=0, help="Seconds between being not ready and closing the door.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; docs/serve.md lists them."),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("serve", short_help="Serve guards over HTTP, in every dialect.")(serve)


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    policy: PolicyDefault = "default",
    policies: Policies = None,
    keys: Keys = None,
    unsafe_no_keys: UnsafeNoKeys = False,
    audit: Audit = DEFAULT_URL,
    audit_keys: AuditKeys = None,
    no_audit: NoAudit = False,
    dialects: Dialects = None,
    upstream: Upstream = None,
    rate: Rate = None,
    cors: Cors = None,
    allowed_host: Hosts = None,
    open_metrics: OpenMetrics = False,
    telemetry: Telemetry = False,
    drain: Drain = 30.0,
    drain_delay: DrainDelay = 0.0,
    set: Set = None,
) -> None:
    """Serve guards over HTTP: unbarb's own API, Perspective's, OpenAI's and more.

    Stops gracefully on SIGTERM and Ctrl-C. Exit codes: 0 stopped, 2 wrong use, 3 it could not start.
    """
    given: dict[str, Any] = {
        "host": host, "port": port, "workers": workers, "policy": policy, "policies": policies,
        "keys": keys, "unsafe_no_keys": unsafe_no_keys, "audit": None if no_audit else audit,
        "audit_keys": audit_keys, "rate": rate, "cors": tuple(cors or ()),
        "hosts": tuple(allowed_host or ()), "open_metrics": open_metrics, "telemetry": telemetry,
        "drain": drain, "drain_delay": drain_delay,
    }  # fmt: skip
    if dialects is not None:
        given["dialects"] = tuple(name.strip() for name in dialects.split(",") if name.strip())
    more = [pair(one) for one in set or []] + ([("chat.upstream", upstream)] if upstream else [])
    try:
        settings = _settings(given, more)
        _run(settings)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "unbarb":
            raise
        raise missing_extra("unbarb serve", error) from error


def _settings(given: dict[str, Any], more: list[tuple[str, str]]) -> Settings:
    """The settings; a name with a dot belongs to a dialect."""
    from unbarb.serve.settings import Settings, converted

    options = {name: value for name, value in more if "." in name}
    plain = {name: value for name, value in more if "." not in name}
    try:
        return Settings(**{**given, **converted(plain), "options": options})
    except ConfigError as error:
        if not plain:
            raise
        # What stands in --set was not looked at with the rest: tell all of it.
        raise ConfigError(_both(error, {**given, "options": options})) from None


def _both(error: ConfigError, given: dict[str, Any]) -> str:
    """The problems of --set, and those that are there without it."""
    from unbarb.serve.settings import Settings

    try:
        Settings(**given)
    except ConfigError as other:
        return "\n".join(dict.fromkeys([*str(error).splitlines(), *str(other).splitlines()]))
    return str(error)


def _run(settings: Settings) -> None:
    import uvicorn

    from unbarb.policy import Policy
    from unbarb.serve.settings import VARIABLE

    with ExitStack() as stack:
        if settings.workers > 1:
            # The workers' figures are added up in files; this must be known before any is made.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="unbarb-metrics-"))
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        _check_files(settings, Policy.load)
        os.environ[VARIABLE] = settings.to_json()
        stack.callback(os.environ.pop, VARIABLE)
        uvicorn.run(
            "unbarb.serve.app:from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            # No access log: a path may carry a key.
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=round(settings.drain),
        )


def _check_files(settings: Settings, load: Any) -> None:
    """Say all that is wrong with policies and keys before any worker starts, and open the record once.

    The record's tables are made here, so that workers do not all try to.
    """
    from unbarb.audit import AuditLog
    from unbarb.policy import PRESETS
    from unbarb.serve.keys import read

    problems = []
    files = sorted(settings.policies.glob("*.y*ml")) if settings.policies else []
    own = [settings.policy] if settings.policy in PRESETS or "." in settings.policy else []
    for source in [*own, *files]:
        try:
            load(source)
        except ConfigError as error:
            problems.append(str(error))
    try:
        if settings.keys is not None:
            read(settings.keys)
    except ConfigError as error:
        problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    if settings.audit is not None:
        AuditLog.open(settings.audit, keys=settings.audit_keys).close()
