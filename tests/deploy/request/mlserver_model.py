"""A toy for MLServer's own runtime: says a text back, and its length; streamed, a word at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Toy(MLModel):
    """Takes the tensor ``words``; gives ``said`` and ``length``."""

    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        [text] = StringCodec.decode_input(payload.inputs[0])
        length = ResponseOutput(name="length", shape=[1], datatype="INT64", data=[len(text)])
        said = StringCodec.encode_output("said", [text])
        return InferenceResponse(model_name=self.name, outputs=[said, length])

    async def predict_stream(
        self, payloads: AsyncIterator[InferenceRequest]
    ) -> AsyncIterator[InferenceResponse]:
        async for payload in payloads:
            [text] = StringCodec.decode_input(payload.inputs[0])
            for word in text.split(" "):
                said = StringCodec.encode_output("said", [f"{word} "])
                yield InferenceResponse(model_name=self.name, outputs=[said])
