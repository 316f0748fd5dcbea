# SPDX-License-Identifier: Apache-2.0
"""Writes logical.avro with fastavro, and what fastavro reads of it as canonical rows.

Needs `pip install fastavro cramjam backports.zstd`.
"""
import datetime as dt
import decimal
import json
import os
import random
import uuid

import fastavro

HERE = os.path.dirname(os.path.abspath(__file__))


def logical(kind, name, **more):
    return {"type": kind, "logicalType": name, **more}


FIELDS = {
    "d_bytes": logical("bytes", "decimal", precision=30, scale=3),
    "d_fixed": {"type": "fixed", "name": "D9", "size": 9, "logicalType": "decimal", "precision": 12, "scale": 2},
    "u": logical("string", "uuid"),
    "day": logical("int", "date"),
    "t_ms": logical("int", "time-millis"),
    "t_us": logical("long", "time-micros"),
    "ts_ms": logical("long", "timestamp-millis"),
    "ts_us": logical("long", "timestamp-micros"),
    "local_ms": logical("long", "local-timestamp-millis"),
    "local_us": logical("long", "local-timestamp-micros"),
    "suit": {"type": "enum", "name": "Suit", "symbols": ["SPADES", "HEARTS"]},
    "inner": {"type": "record", "name": "Inner", "fields": [
        {"name": "a", "type": ["null", "int"]}, {"name": "b", "type": ["string", "null"]}]},
    "items": {"type": "array", "items": ["null", {"type": "array", "items": "long"}]},
    "pairs": {"type": "map", "values": ["null", "double"]},
    "wide": ["null", "int", "long"],
    "nothing": "null",
}
SCHEMA = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "long"}] + [
    {"name": n, "type": t if isinstance(t, list) or t == "null" else ["null", t]} for n, t in FIELDS.items()]}
DIGITS = {"d_bytes": 3, "d_fixed": 2}


def value(r, name):
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=r.randint(-10**15, 4 * 10**15))
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    clock = moment.time()
    return {
        "d_bytes": decimal.Decimal(r.randint(-10**29, 10**29)).scaleb(-3, decimal.Context(prec=40)),
        "d_fixed": decimal.Decimal(r.randint(-10**11, 10**11)).scaleb(-2),
        "u": uuid.UUID(int=r.getrandbits(128)), "day": moment.date(), "t_ms": whole.time(), "t_us": clock,
        "ts_ms": whole.replace(tzinfo=dt.timezone.utc), "ts_us": moment.replace(tzinfo=dt.timezone.utc),
        "local_ms": whole, "local_us": moment, "suit": r.choice(["SPADES", "HEARTS"]),
        "inner": {"a": r.choice([None, 5]), "b": r.choice([None, "é"])},
        "items": r.choice([[], [None], [[1, 2], None, []]]), "pairs": r.choice([{}, {"x": None, "y": 0.5}]),
        "wide": r.choice([3, 2**40]), "nothing": None,
    }[name]


def canonical(name, v):
    if v is None:
        return None
    if isinstance(v, decimal.Decimal):
        return f"{v.quantize(decimal.Decimal(1).scaleb(-DIGITS[name]), context=decimal.Context(prec=60)):f}"
    if isinstance(v, dt.datetime):
        return v.strftime("%Y-%m-%dT%H:%M:%S.%f") + ("Z" if v.tzinfo else "")
    if isinstance(v, dt.date):
        return v.isoformat()
    if isinstance(v, dt.time):
        return v.strftime("%H:%M:%S.%f")
    if isinstance(v, uuid.UUID):
        return str(v)
    if name == "pairs":
        return sorted([k, x] for k, x in v.items())
    return v


r = random.Random(3)
rows = [{"id": i, **{n: None if r.random() < 0.2 else value(r, n) for n in FIELDS}} for i in range(60)]
path = os.path.join(HERE, "logical.avro")
with open(path, "wb") as out:
    fastavro.writer(out, SCHEMA, rows, codec="zstandard", sync_interval=1500, sync_marker=bytes(range(16)))
with open(path, "rb") as source, open(os.path.join(HERE, "logical.rows"), "w") as out:
    lines = [json.dumps({n: canonical(n, v) for n, v in row.items()}, sort_keys=True,
                        separators=(",", ":"), ensure_ascii=False) for row in fastavro.reader(source)]
    out.writelines(line + "\n" for line in lines)
