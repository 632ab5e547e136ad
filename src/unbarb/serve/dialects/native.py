"""unbarb's own dialect: verdicts whole, as published in ``verdict.schema.json``."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect
from unbarb.serve.settings import Settings
from unbarb.text import Direction, Verdict

NAME = "native"


class Judging(BaseModel):
    """One text, or several; and how they are to be judged."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(None, description="one text")
    texts: list[str] | None = Field(None, description="several texts, in place of `text`")
    id: str | None = Field(None, description="the caller's id of `text`; it stands in the verdict")
    ids: list[str | None] | None = Field(None, description="an id for each of `texts`")
    direction: Direction = Field(
        "none", description="whether the text goes into a model or comes out of one"
    )
    context: str | list[str | None] | None = Field(
        None, description="what stood before: for all texts, or each"
    )
    policy: str | None = Field(None, description="a policy by name; default the key's, or the server's")
    store: bool = Field(True, description="false: the record keeps no text, whatever the policy says")

    @model_validator(mode="after")
    def _one_form(self) -> Judging:
        if (self.text is None) == (self.texts is None):
            raise ValueError("give text, or texts, and not both")
        return self


def router(settings: Settings) -> APIRouter:
    """The routes ``/v1/check``, ``/v1/rewrite`` and what belongs to them."""
    routes = APIRouter()

    @routes.post("/v1/check")
    async def check(given: Judging, call: Annotated[Call, Depends(call_of(NAME))]) -> Response:
        """Score texts and say what the policy decides; change nothing."""
        if given.policy is not None:
            call.use_policy(given.policy)
        one = given.text is not None
        texts = [given.text] if given.text is not None else given.texts or []
        verdicts = await call.check(
            texts,
            direction=given.direction,
            ids=[given.id] if one else given.ids,
            context=given.context,
            store_text=given.store,
        )
        return answered(verdicts, one)

    @routes.post("/v1/rewrite")
    async def rewrite(given: Judging, call: Annotated[Call, Depends(call_of(NAME, "rewrite"))]) -> Response:
        """Decide about texts and carry the decisions out."""
        if given.policy is not None:
            call.use_policy(given.policy)
        one = given.text is not None
        texts = [given.text] if given.text is not None else given.texts or []
        verdicts = await call.rewrite(
            texts,
            direction=given.direction,
            ids=[given.id] if one else given.ids,
            context=given.context,
            store_text=given.store,
        )
        return answered(verdicts, one)

    return routes


def answered(verdicts: list[Verdict], one: bool) -> Response:
    """A verdict, or ``{"verdicts": […]}``."""
    content: Any = [verdict.to_dict() for verdict in verdicts]
    content = content[0] if one else {"verdicts": content}
    return Response(json.dumps(content, ensure_ascii=False), media_type="application/json")


DIALECT = Dialect(NAME, router)
