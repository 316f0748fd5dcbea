# SPDX-License-Identifier: Apache-2.0
"""Writes the container files of this folder with fastavro, and what is in them as JSON lines.

Needs `pip install fastavro cramjam backports.zstd`. JSON has bytes as {"b": text of Latin-1 scalars} and
numbers that are not finite as their names.
"""
import json
import math
import os
import random

import fastavro

HERE = os.path.dirname(os.path.abspath(__file__))

ALL_TYPES = {
    "type": "record", "name": "org.example.Everything", "doc": "one field of each type",
    "fields": [
        {"name": "flag", "type": "boolean", "field-id": 1},
        {"name": "small", "type": "int", "field-id": 2},
        {"name": "big", "type": "long", "field-id": 3},
        {"name": "single", "type": "float", "field-id": 4},
        {"name": "double", "type": "double", "field-id": 5},
        {"name": "raw", "type": "bytes", "field-id": 6},
        {"name": "text", "type": "string", "field-id": 7},
        {"name": "md5", "type": {"type": "fixed", "name": "MD5", "size": 16}, "field-id": 8},
        {"name": "suit", "field-id": 9, "type": {
            "type": "enum", "name": "org.cards.Suit", "symbols": ["SPADES", "HEARTS"]}},
        {"name": "list", "field-id": 10, "type": {
            "type": "array", "items": ["null", "long"], "element-id": 11}},
        {"name": "dict", "field-id": 12, "type": {
            "type": "map", "values": {"type": "array", "items": "string"},
            "key-id": 13, "value-id": 14}},
        {"name": "either", "type": ["null", "int", "string", "org.example.MD5"], "field-id": 15},
        {"name": "last", "type": ["string", "null"], "default": "none", "field-id": 16},
        {"name": "inner", "field-id": 17, "type": ["null", {
            "type": "record", "name": "Inner", "namespace": "org.other", "fields": [
                {"name": "again", "type": "org.cards.Suit", "field-id": 18},
                {"name": "nothing", "type": "null"},
                {"name": "empty", "type": {"type": "record", "name": "Empty", "fields": []}}]}]},
    ],
}


def all_types(rng, count):
    for i in range(count):
        yield {
            "flag": rng.random() < 0.5,
            "small": rng.choice([0, -1, 63, 64, -64, -65, 2**31 - 1, -2**31, rng.getrandbits(30)]),
            "big": rng.choice([0, 2**63 - 1, -2**63, rng.getrandbits(rng.randint(1, 62))]),
            "single": rng.choice([0.0, -0.0, 1.5, math.inf, -math.inf, math.nan]),
            "double": rng.choice([0.1, 5e-324, 1.7976931348623157e308, math.nan, rng.random()]),
            "raw": rng.randbytes(rng.choice([0, 1, 63, 64, 200])),
            "text": rng.choice(["", "a", "naïve", "日本語", "😀", "x" * 100]),
            "md5": rng.randbytes(16),
            "suit": rng.choice(["SPADES", "HEARTS"]),
            "list": [rng.choice([None, rng.getrandbits(20)]) for _ in range(rng.randint(0, 4))],
            "dict": {f"k{j}": ["v"] * rng.randint(0, 3) for j in range(rng.randint(0, 3))},
            "either": rng.choice([None, 7, "seven", rng.randbytes(16)]),
            "last": rng.choice([None, "word"]),
            "inner": rng.choice([None, {"again": "HEARTS", "nothing": None, "empty": {}}]),
        }


def canonical(value):
    if isinstance(value, bytes):
        return {"b": value.decode("latin1")}
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def write(name, schema, rows, expected=None, **options):
    path = os.path.join(HERE, name + ".avro")
    with open(path, "wb") as out:
        fastavro.writer(out, schema, rows, sync_marker=bytes(range(16)), **options)
    with open(path, "rb") as source, open(os.path.join(HERE, (expected or name) + ".jsonl"), "w") as out:
        for row in fastavro.reader(source):
            out.write(json.dumps(canonical(row)) + "\n")


rng = random.Random(7)
rows = list(all_types(rng, 24))
for codec in ["null", "deflate", "snappy", "zstandard"]:
    write(f"all_types_{codec}", ALL_TYPES, rows, expected="all_types", codec=codec,
          sync_interval=1000, metadata={"note": "made by fastavro"})
write("primitive", {"type": "long"}, [0, 1, -1, 2**40])
write("no_records", ALL_TYPES, [])
