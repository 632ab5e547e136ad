"""ParaNMT-detox: paraphrases of which one side is toxic, with the scores they were mined by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unbarb.errors import ConfigError

COLUMNS = ("reference", "translation", "similarity", "lenght_diff", "ref_tox", "trn_tox")
"""As published, with the slip of the pen in ``lenght_diff``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which pairs are kept; all are shares, 0…1.

    The toxic side must be above `toxic` and the neutral one below `neutral`. `similarity` is a range,
    its upper end there because pairs that are nearly the same change nothing. `length` is the most by
    which the longer side may exceed the shorter, as a share of the longer.

    The defaults for toxicity are those of the Alpaca LoRA system; the others those that ParaNMT was mined
    by, so that on the published file they leave out nothing.
    """

    toxic: float = 0.9
    neutral: float = 0.2
    similarity: tuple[float, float] = (0.6, 0.95)
    length: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.neutral <= self.toxic <= 1:
            raise ConfigError(
                f"a neutral side below {self.neutral} and a toxic one above {self.toxic} is no filter;"
                " needed is 0 ≤ neutral ≤ toxic ≤ 1"
            )
        if not self.similarity[0] < self.similarity[1]:
            raise ConfigError(f"no similarity is above {self.similarity[0]} and up to {self.similarity[1]}")


STANDARD = Limits()


def paranmt(values: Mapping[str, Any], limits: Limits = STANDARD) -> Iterator[dict[str, Any] | str]:
    """The pair of one record, its toxic side first, or the reason why it is left out.

    Reasons are ``no_neutral_side`` (both above, both below, or between the limits), ``similarity`` and
    ``length``. The scores go into ``meta``.

    Source: Logacheva et al. 2022, "ParaDetox: Detoxification with Parallel Data",
    https://huggingface.co/datasets/s-nlp/paranmt_for_detox (OpenRAIL++); mined from Wieting and Gimpel
    2018, "ParaNMT-50M". By its authors' own check about half of the pairs are good paraphrases.

    Raises:
        ValueError: a score is no number.
    """
    sides = [
        (float(values["ref_tox"]), values["reference"]),
        (float(values["trn_tox"]), values["translation"]),
    ]
    (low, neutral), (high, toxic) = sorted(sides, key=lambda side: side[0])
    similarity = float(values["similarity"])
    if not (high > limits.toxic and low < limits.neutral):
        yield "no_neutral_side"
    elif not limits.similarity[0] < similarity <= limits.similarity[1]:
        yield "similarity"
    elif float(values["lenght_diff"]) > limits.length:
        yield "length"
    else:
        scores = {"source": high, "target": low}
        yield {"source": toxic, "target": neutral, "meta": {"toxicity": scores, "similarity": similarity}}
