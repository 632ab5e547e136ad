"""Ways to tamper with a record, as somebody would who can write to the database and lacks the keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from unbarb.audit.chain import FIELDS, digest, marks
from unbarb.audit.models import Checkpoint, Head, Record, SealedText
from unbarb.audit.tampering import Tampering

FAR = 10_000_000
COLUMNS = tuple(column.name for column in Record.__table__.columns)


@dataclass(frozen=True)
class Done:
    """What was done, and whether a finding names it."""

    what: str
    named_by: Callable[[Tampering], bool]


Way = Callable[[Connection, random.Random], Done]


def edit(connection: Connection, chance: random.Random, column: str | None = None) -> Done:
    """Change one column, any or the one given, of one record."""
    number = chance.randint(1, last(connection))
    column = column or chance.choice(COLUMNS)
    record = read(connection, number)
    if column == "sequence":
        changed: Any = FAR + number
    elif isinstance(record[column], int | float):
        changed = record[column] + 1
    elif record[column] is None:
        numeric = column in ("piece", "meaning", "not_detoxifiable", "coverage", "warnings", "seconds")
        changed = 1 if numeric else "x"
    else:
        changed = chance.choice([record[column][:-1] + chance.choice("~#"), record[column] + " "])
    write(connection, number, {column: changed})
    if column == "sequence":
        return Done(
            f"sequence of {number} changed", lambda t: t.kind == "reordered" and t.first == FAR + number
        )
    return Done(
        f"{column} of {number} changed",
        lambda t: t.kind == "edited" and t.first == number and t.fields == (column,),
    )


def edit_and_reseal(connection: Connection, chance: random.Random) -> Done:
    """Change a record's action and its marks and digest with it."""
    number = chance.randint(1, last(connection) - 1)
    reseal(connection, number, {"action": "allowed"})
    return Done(f"{number} rewritten with its digest", lambda t: t.kind == "edited" and t.first == number)


def remove(connection: Connection, chance: random.Random) -> Done:
    """Delete up to five records, not at the end."""
    first = chance.randint(1, last(connection) - 6)
    final = first + chance.randint(0, 4)
    connection.execute(delete(Record).where(Record.sequence.between(first, final)))
    return Done(
        f"{first}…{final} deleted",
        lambda t: t.kind == "deleted" and (t.first, t.last) == (first, final),
    )


def remove_and_renumber(connection: Connection, chance: random.Random) -> Done:
    """Delete one record and close the gap, without touching any digest."""
    end = last(connection)
    number = chance.randint(1, end - 1)
    connection.execute(delete(Record).where(Record.sequence == number))
    # By way of negative numbers, for no two records may have the same one even for a moment.
    for sign, chosen in ((1, Record.sequence > number), (0, Record.sequence < 0)):
        connection.execute(update(Record).where(chosen).values(sequence=sign - Record.sequence))
    # What is missing at the end of a log that was closed up is still the one that was deleted.
    return Done(
        f"{number} deleted and the gap closed",
        lambda t: t.kind == "deleted" and t.first == t.last == number,
    )


def swap(connection: Connection, chance: random.Random) -> Done:
    """Exchange the places of two records."""
    one, other = sorted(chance.sample(range(1, last(connection) + 1), 2))
    write(connection, one, {"sequence": FAR})
    write(connection, other, {"sequence": one})
    write(connection, FAR, {"sequence": other})
    return Done(f"{one} and {other} exchanged", lambda t: t.kind == "reordered" and t.first in (one, other))


def cut(connection: Connection, chance: random.Random) -> Done:
    """Delete the last records, and perhaps make the head say so."""
    end = last(connection)
    keep = chance.randint(end // 2, end - 1)
    connection.execute(delete(Record).where(Record.sequence > keep))
    connection.execute(delete(SealedText).where(SealedText.sequence > keep))
    if chance.random() < 0.5:
        values = {"sequence": keep, "digest": read(connection, keep)["digest"], "records": keep}
        connection.execute(update(Head).values(values))
        connection.execute(delete(Checkpoint).where(Checkpoint.sequence > keep))
    return Done(f"cut after {keep}", lambda t: t.kind == "cut tail" and t.first == keep + 1)


def rebuild(connection: Connection, chance: random.Random) -> Done:
    """Change a record that a checkpoint covers and make the whole chain after it anew, head included."""
    covered = connection.execute(select(func.max(Checkpoint.sequence))).scalar_one()
    number = chance.randint(1, covered)
    rows = select(Record.__table__).where(Record.sequence >= number).order_by(Record.sequence)
    records = [dict(row) for row in connection.execute(rows).mappings()]
    records[0]["action"] = "allowed"
    before = records[0]["previous"]
    for record in records:
        record["previous"] = before
        record["marks"] = marks(record)
        before = record["digest"] = digest(record, record["marks"], before)
    connection.execute(delete(Record).where(Record.sequence >= number))
    connection.execute(insert(Record), records)
    connection.execute(update(Head).values(digest=before))
    return Done(
        f"rebuilt from {number}",
        lambda t: t.kind == "rebuilt" and t.first is not None and t.first <= number <= (t.last or 0),
    )


def append(connection: Connection, chance: random.Random) -> Done:
    """Add a record of one's own, well chained."""
    end = last(connection)
    record = {**read(connection, end), "sequence": end + 1, "event": f"forged {chance.random()}"}
    record["previous"] = record["digest"]
    record["marks"] = marks(record)
    record["digest"] = digest(record, record["marks"], record["previous"])
    connection.execute(insert(Record).values(record))
    return Done(f"{end + 1} added", lambda t: t.kind == "added" and t.first == end + 1)


def edit_statement(connection: Connection, chance: random.Random) -> Done:
    """Change the head or a checkpoint."""
    column = chance.choice(["log", "sequence", "digest", "records", "time", "key", "signature", "purpose"])
    if chance.random() < 0.5:
        old = connection.execute(select(Head.__table__)).mappings().one()[column]
        connection.execute(update(Head).values({column: altered(old)}))
        return Done(f"{column} of the head changed", lambda t: t.kind == "head")
    number = chance.choice(connection.execute(select(Checkpoint.number)).scalars().all())
    chosen = Checkpoint.number == number
    old = connection.execute(select(Checkpoint.__table__).where(chosen)).mappings().one()[column]
    connection.execute(update(Checkpoint).where(chosen).values({column: altered(old)}))
    return Done(
        f"{column} of checkpoint {number} changed", lambda t: t.kind == "checkpoint" and t.first == number
    )


def remove_statement(connection: Connection, chance: random.Random) -> Done:
    """Delete the head or a checkpoint."""
    if chance.random() < 0.3:
        connection.execute(delete(Head))
        return Done("the head deleted", lambda t: t.kind == "head")
    number = chance.choice(connection.execute(select(Checkpoint.number)).scalars().all())
    connection.execute(delete(Checkpoint).where(Checkpoint.number == number))
    return Done(f"checkpoint {number} deleted", lambda t: t.kind == "checkpoint" and t.first == number)


def tamper_with_text(connection: Connection, chance: random.Random) -> Done:
    """Change, remove or exchange an encrypted text."""
    numbers = connection.execute(select(SealedText.sequence)).scalars().all()
    number = chance.choice(numbers)
    chosen = SealedText.sequence == number
    way = chance.choice(["sealed", "data_key", "text_key", "removed"])
    if way == "removed":
        connection.execute(delete(SealedText).where(chosen))
    else:
        old = connection.execute(select(SealedText.__table__).where(chosen)).mappings().one()[way]
        connection.execute(update(SealedText).where(chosen).values({way: altered(old)}))
    return Done(f"{way}: text of {number}", lambda t: t.kind == "text" and t.first == number)


WAYS: tuple[Way, ...] = (
    edit, edit, edit, edit_and_reseal, remove, remove_and_renumber, swap, cut, rebuild, append,
    edit_statement, remove_statement, tamper_with_text,
)  # fmt: skip


def last(connection: Connection) -> int:
    return int(connection.execute(select(func.max(Record.sequence))).scalar_one())


def read(connection: Connection, number: int) -> dict[Any, Any]:
    return dict(
        connection.execute(select(Record.__table__).where(Record.sequence == number)).mappings().one()
    )


def write(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(Record).where(Record.sequence == number).values(dict(values)))


def reseal(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change values of a record and make its marks and digest fit."""
    record = {**read(connection, number), **values}
    marked = marks({name: record[name] for name in FIELDS})
    write(
        connection,
        number,
        {**values, "marks": marked, "digest": digest(record, marked, record["previous"])},
    )


def altered(value: Any) -> Any:
    """Something of the same type that is not the same."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value + 1
    return ("B" if value[0] == "A" else "A") + value[1:]
