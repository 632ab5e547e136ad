"""Policies by name: loaded, changed, refused and withdrawn while the service runs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving import Kept
from unbarb.audit import Event
from unbarb.errors import ConfigError
from unbarb.serve.policies import Policies

FORUM = """
schema: 1
name: forum
description: For a forum.
detectors: [lexicon]
labels:
  toxicity: {threshold: %s, action: flag}
"""


def put(folder: Path, name: str, text: str) -> None:
    """Write a policy file as an editor does: beside it, then in its place."""
    fresh = folder / f".{name}.new"
    fresh.write_text(text, "utf-8")
    os.replace(fresh, folder / name)


def outcomes(policies: Policies) -> list[tuple[str, str]]:
    return [(change.outcome, change.name) for change in policies.refresh()]


def threshold(policies: Policies) -> float:
    return policies.get("forum").policy.rules()["toxicity"].threshold


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "one.yaml", FORUM % 0.5)
    return tmp_path


def test_a_changed_file_is_taken_up_once(folder: Path) -> None:
    policies = Policies("default", folder)
    before = policies.get("forum")
    assert [(one.outcome, one.name) for one in policies.started] == [
        ("loaded", "forum"),
        ("loaded", "default"),
    ]
    assert outcomes(policies) == []
    put(folder, "one.yaml", FORUM % 0.7)
    (change,) = policies.refresh()
    assert (change.outcome, change.before) == ("changed", before.policy.digest)
    assert change.after == policies.get("forum").policy.digest
    assert threshold(policies) == 0.7
    assert policies.get("forum").guard.policy is policies.get("forum").policy
    assert outcomes(policies) == []


def test_comments_are_no_change(folder: Path) -> None:
    policies = Policies("default", folder)
    put(folder, "one.yaml", "# a comment\n" + FORUM % 0.5)
    assert outcomes(policies) == []


@pytest.mark.parametrize(
    "bad",
    [
        "schema: 1\nname: forum\nlabels: {toxicity: {threshold: 7, action: flag}}\n",
        "{",
        "",
        FORUM.replace("lexicon", "no-such-detector") % 0.5,
        FORUM.replace("[lexicon]", "[{name: lexicon, colour: red}]") % 0.5,
    ],
)
def test_a_bad_file_never_replaces_a_good_policy(folder: Path, bad: str) -> None:
    policies = Policies("default", folder)
    put(folder, "one.yaml", bad)
    (change,) = policies.refresh()
    assert (change.outcome, change.name, change.after) == ("refused", "forum", None)
    assert change.reason
    assert threshold(policies) == 0.5
    assert list(policies.refused) == [folder / "one.yaml"]
    assert outcomes(policies) == [], "told once"
    put(folder, "one.yaml", FORUM % 0.6)
    assert outcomes(policies) == [("changed", "forum")]
    assert policies.refused == {}


def test_a_policy_whose_file_is_gone_is_withdrawn(folder: Path) -> None:
    policies = Policies("default", folder)
    (folder / "one.yaml").unlink()
    assert outcomes(policies) == [("withdrawn", "forum")]
    assert not policies.known("forum")
    with pytest.raises(ConfigError, match="no policy named 'forum'; there are default, "):
        policies.get("forum")


def test_the_default_stays_when_its_file_is_gone(folder: Path) -> None:
    policies = Policies("forum", folder)
    (folder / "one.yaml").unlink()
    assert outcomes(policies) == []
    assert threshold(policies) == 0.5
    own = Policies(str(_file(folder)))
    assert own.default == "forum"


def _file(folder: Path) -> Path:
    put(folder, "two.yaml", FORUM % 0.4)
    return folder / "two.yaml"


def test_a_name_belongs_to_one_file(folder: Path) -> None:
    policies = Policies("default", folder)
    put(folder, "two.yaml", FORUM % 0.9)
    (change,) = policies.refresh()
    assert change.outcome == "refused"
    assert "one.yaml" in (change.reason or "")
    assert threshold(policies) == 0.5


def test_a_renamed_policy_leaves_its_old_name(folder: Path) -> None:
    policies = Policies("default", folder)
    put(folder, "one.yaml", FORUM.replace("forum", "board", 1) % 0.5)
    assert outcomes(policies) == [("withdrawn", "forum"), ("loaded", "board")]


def test_a_file_may_stand_in_a_presets_place(folder: Path) -> None:
    put(folder, "strict.yaml", FORUM.replace("forum", "strict", 1) % 0.9)
    policies = Policies("strict", folder)
    assert policies.get("strict").policy.description == "For a forum."
    assert [policy.name for policy in policies.listed()].count("strict") == 1


def test_guards_share_the_detectors_that_are_the_same() -> None:
    policies = Policies("default")
    members = [policies.get(name).guard.panel.members for name in ("default", "lenient")]
    assert members[0][0] is members[1][0]


def test_a_preset_comes_into_force_when_it_is_first_asked_for() -> None:
    policies = Policies("default")
    assert policies.known("strict")
    assert not policies.ready("strict")
    policies.get("strict")
    assert policies.ready("strict")
    assert outcomes(policies) == [("loaded", "strict")]


def test_a_default_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="no policy named 'nowhere'"):
        Policies("nowhere")
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such policy file"):
        Policies("nowhere.yaml")


def test_the_service_follows_and_records_what_changed(serve, folder: Path) -> None:  # type: ignore[no-untyped-def]
    kept = Kept()
    client: TestClient = serve(kept, policies=folder)
    service = client.app.state.service  # type: ignore[attr-defined]
    asked = {"text": "you are an idiot", "policy": "forum"}
    first = client.post("/v1/check", json=asked).json()["policy"]["digest"]
    put(folder, "one.yaml", FORUM % 0.6)
    client.portal.call(service.refresh)  # type: ignore[union-attr]
    put(folder, "one.yaml", "{")
    client.portal.call(service.refresh)  # type: ignore[union-attr]
    second = client.post("/v1/check", json=asked).json()["policy"]["digest"]
    assert first != second
    told: list[Event] = [event for event in kept.events if event.kind != "decision"]
    assert [event.kind for event in told] == ["policy", "policy", "policy", "admin"]
    came = [(event.policy["name"], event.policy["digest"]) for event in told[:3] if event.policy]
    assert came[::2] == [("forum", first), ("forum", second)]
    assert came[1][0] == "default"
    assert told[2].details["before"] == first
    assert told[3].details["what"] == "policy refused"
    figures = client.get("/metrics").text
    assert 'unbarb_reloads_total{outcome="changed",what="policy"} 1.0' in figures
    assert 'unbarb_reloads_total{outcome="refused",what="policy"} 1.0' in figures


def test_the_watch_sees_a_change_by_itself(serve, folder: Path) -> None:  # type: ignore[no-untyped-def]
    client: TestClient = serve(policies=folder, reload=0.01)
    service = client.app.state.service  # type: ignore[attr-defined]

    async def seen(digest: str) -> None:
        async with asyncio.timeout(20):
            while service.policies.get("forum").policy.digest == digest:
                await asyncio.sleep(0.005)

    before = service.policies.get("forum").policy.digest
    put(folder, "one.yaml", FORUM % 0.6)
    client.portal.call(seen, before)  # type: ignore[union-attr]
    assert threshold(service.policies) == 0.6
