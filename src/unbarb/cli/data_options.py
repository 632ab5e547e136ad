"""The options of ``unbarb data prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unbarb.data.corpora import VARIABLE

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="CORPUS...", show_default=False, help="Names as in `unbarb data list`."),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the set.")]
Inputs = Annotated[
    list[Path] | None,
    typer.Option(
        "--input", "-i", metavar="FILE", show_default=False,
        help="A .csv, .tsv, .jsonl, .json (each also .gz) or .parquet file, or a folder that datasets"
        " saved; repeatable. ParaNMT-detox, RealToxicityPrompts, ParaDetox, Jigsaw 2018, Civil Comments"
        " and prepared rows are known by their columns.",
    ),
]  # fmt: skip
ColumnsOf = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="PART=COLUMN", show_default=False,
        help="What a column of --input is; repeatable. Parts: source and target; or text and"
        " label:NAME (…=COLUMN:CLASS,CLASS for names of classes); or source, chosen and rejected; id.",
    ),
]  # fmt: skip
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help=f"Folder with the corpora. Default: {VARIABLE}."),
]
KindOf = Annotated[
    Literal["pairs", "labelled", "preferences"] | None,
    typer.Option(
        "--kind", show_default=False,
        help="Make rows of this kind: pairs as labelled (the source toxic, the target not), preferences as"
        " pairs, RealToxicityPrompts as pairs of a prompt and its continuation. Default: what they are.",
    ),
]  # fmt: skip
Seed = Annotated[int, typer.Option(help="Decides which source is in which split.")]
Dev = Annotated[float, typer.Option(min=0, max=1, help="Share of sources to develop on.")]
Test = Annotated[float, typer.Option(min=0, max=1, help="Share of sources to test on.")]
PlanOf = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE", show_default=False,
        help="Rows per class: six-labels-7400, six-labels-train-7400, six-labels-test-350, or YAML such"
        " as `train: {threat: 400, none: 1500}`. Scaled down where rows are short.",
    ),
]  # fmt: skip
Augment = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WAY=SHARE", show_default=False,
        help="Add changed training rows: leet, spaced, joined, swapped, dropped, stars, identity"
        " (another group is named), minority:LABEL (sentences with such spans, of civil); repeatable.",
    ),
]  # fmt: skip
Near = Annotated[float, typer.Option(help="Sources this similar (Jaccard) are the same. 0 keeps them all.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(show_default=False, help="Not cleaned: markup, addresses, punctuation; repeatable."),
]
Longest = Annotated[int | None, typer.Option(min=1, help="Most words of a text.", show_default=False)]
Toxic = Annotated[float, typer.Option(help="ParaNMT: the toxic side is above this.")]
Neutral = Annotated[float, typer.Option(help="ParaNMT: the neutral side is below this.")]
Similarity = Annotated[
    tuple[float, float], typer.Option(help="ParaNMT: similarity above the first, up to the second.")
]
Length = Annotated[float, typer.Option(help="ParaNMT: most difference in length.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Most rows of a source.", show_default=False)]
SkipFaults = Annotated[
    bool, typer.Option("--skip-faults", help="Leave out and count rows that cannot be read.")
]
Instruct = Annotated[
    bool, typer.Option("--instruct", help="Write instruction, input, output as JSON lists too.")
]
KeepDropped = Annotated[
    bool, typer.Option("--keep-dropped", help="Write dropped.jsonl: the rows that were left out, and why.")
]
RowSplit = Annotated[
    float, typer.Option(metavar="SHARE", help="Test share of the split by row whose leak is told.")
]
Push = Annotated[
    str | None,
    typer.Option(
        metavar="ORG/NAME", show_default=False,
        help="Push the set to this repository of the hub; without corpora and --input, the set that is"
        " in --out already.",
    ),
]  # fmt: skip
Public = Annotated[bool, typer.Option("--public", help="A new repository of --push is public.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a set that is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the manifest.")]
