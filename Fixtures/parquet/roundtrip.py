# SPDX-License-Identifier: Apache-2.0
"""Reads what Lake wrote, and writes what Lake is to read, in other engines' Parquet.

    roundtrip.py check FOLDER
        FOLDER/expected.tsv has a line for each column of each file there:

            file <TAB> rows <TAB> column's place <TAB> CRC-32 <TAB> words

        The CRC-32 is that of the column's canonical text (describe.py). Each file is read by pyarrow
        and by DuckDB; columns with the word `no-duckdb` or `no-pyarrow` not by that one.
        Columns are called c0, c1 and so on.
        Prints a line for whatever differs, and at last `checked <TAB> files <TAB> columns`.

    roundtrip.py make FOLDER SEED COUNT
        Writes COUNT random files, two thirds with pyarrow and one third with DuckDB, under random
        schemas and all their options, and expected.tsv: what pyarrow reads of them.

    roundtrip.py variants FOLDER SEED
        Writes files of variants with DuckDB, which shreds them: 0.parquet and so on, column v.

    roundtrip.py compare-variants FOLDER
        Prints a line for each of these whose rows DuckDB reads otherwise in 0.written.parquet and so
        on, and at last `checked <TAB> files <TAB> rows`.

    roundtrip.py compare-json FOLDER
        Prints a line for each of these rows whose JSON DuckDB says otherwise than 0.jsonl and so on,
        a line a row, and at last `checked <TAB> files <TAB> rows`.

    roundtrip.py describe FOLDER NAME...
        Prints what pyarrow reads of these files, and then what DuckDB does, as in expected.tsv
        behind the engine's name.

Needs pyarrow 26 and duckdb 1.5.
"""
import datetime
import decimal
import json
import os
import random
import re
import struct
import sys
import zlib

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from describe import texts  # noqa: E402

# --- reading


def reason(error):
    return type(error).__name__ + ": " + str(error)[:300].replace("\n", " ")


def checksum(column):
    crc = 0
    for chunk in column.chunks:
        text = texts(chunk)
        if text:
            crc = zlib.crc32(("\n".join(text) + "\n").encode(), crc)
    return crc


def read_pyarrow(path):
    file = pq.ParquetFile(
        path, coerce_int96_timestamp_unit="us", page_checksum_verification=True,
        arrow_extensions_enabled=False)
    table = file.read(use_threads=False)
    # Some files of one row with nested columns come back without it.
    if any(len(column) != file.metadata.num_rows for column in table.columns):
        raise ValueError("pyarrow lost rows")
    return table


class DuckDB:
    def __init__(self):
        self.connection = duckdb.connect()
        for setting in ("threads = 1", "arrow_lossless_conversion = true", "timezone = 'UTC'"):
            self.connection.execute("set " + setting)

    def read(self, path, places=None):
        columns = "*" if places is None else ", ".join(f"c{place}" for place in places)
        query = f"select {columns} from read_parquet($1)"
        return self.connection.execute(query, [path]).to_arrow_table()


def check(folder):
    engine = DuckDB()
    expected = {}
    with open(folder + "/expected.tsv") as lines:
        for line in lines:
            name, rows, place, crc, *words = line.rstrip("\n").split("\t")
            expected.setdefault(name, []).append((int(rows), int(place), int(crc), words))
    columns = 0
    for name, wanted in expected.items():
        known = {
            label: [place for _, place, _, words in wanted if "no-" + label not in words]
            for label in ("pyarrow", "duckdb")}
        for label, places in known.items():
            if not places:
                continue
            path = folder + "/" + name
            try:
                table = read_pyarrow(path) if label == "pyarrow" else engine.read(path, places)
            except Exception as error:
                print(name, label, "", reason(error), sep="\t")
                continue
            for place in places:
                column = table.column(f"c{place}")
                rows, _, crc, _ = wanted[place]
                columns += 1
                if table.num_rows != rows:
                    print(name, label, place, f"{table.num_rows} rows, expected {rows}", sep="\t")
                elif checksum(column) != crc:
                    sample = [text for chunk in column.slice(0, 12).chunks for text in texts(chunk)]
                    print(name, label, place, f"{column.type}: {sample}", sep="\t")
    print("checked", len(expected), columns, sep="\t")


# --- random tables

KEYS = [pa.string(), pa.int32(), pa.int64(), pa.date32(), pa.binary()]
FLAT = [
    pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(),
    pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.decimal128(4, 2),
    pa.decimal128(9, 0), pa.decimal128(10, 3), pa.decimal128(18, 18), pa.decimal128(19, 5),
    pa.decimal128(38, 10), pa.decimal256(30, 2), pa.decimal32(7, 1), pa.decimal64(15, 4),
    pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
    pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns"),
    pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), pa.timestamp("ns", "Europe/Paris"),
    pa.duration("us"), pa.string(), pa.large_string(), pa.string_view(), pa.binary(),
    pa.large_binary(), pa.binary_view(), pa.binary(1), pa.binary(7), pa.binary(16),
    pa.uuid(), pa.json_(), pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.int64()),
]
def random_type(r, flat, depth):
    if depth == 0 or r.random() < 0.55:
        return r.choice(flat)
    kind = r.randrange(4)
    if kind == 0:
        return pa.struct([random_field(r, f"f{i}", flat, depth - 1) for i in range(r.randint(1, 3))])
    element = random_field(r, "element", flat, depth - 1)
    if kind == 1:
        return pa.list_(element)
    if kind == 2:
        return pa.large_list(element) if r.random() < 0.5 else pa.list_(element, r.randint(1, 3))
    return pa.map_(r.choice(KEYS), pa.field("value", random_type(r, flat, depth - 1)))


def random_field(r, name, flat, depth):
    kind = random_type(r, flat, depth)
    return pa.field(name, kind, nullable=pa.types.is_null(kind) or r.random() < 0.7)


def moment(r, per_second):
    # Within what nanoseconds can say: 1677 to 2262.
    value = r.randint(-9_000_000_000, 9_000_000_000) * per_second
    return value + r.randrange(per_second)


def digits(r, precision):
    limit = 10 ** precision - 1
    return r.choice([0, limit, -limit, r.randint(-limit, limit), r.randint(-min(limit, 99), min(limit, 99))])


def random_value(r, field, nulls, distinct):
    kind = field.type
    if pa.types.is_null(kind) or (field.nullable and r.random() < nulls):
        return None
    if pa.types.is_struct(kind):
        return {f.name: random_value(r, f, nulls, distinct) for f in kind}
    if pa.types.is_fixed_size_list(kind):
        return [random_value(r, kind.value_field, nulls, distinct) for _ in range(kind.list_size)]
    if pa.types.is_map(kind):
        keys = {random_value(r, kind.key_field, 0, distinct): None for _ in range(r.choice([0, 1, 3]))}
        return [(key, random_value(r, kind.item_field, nulls, distinct)) for key in keys]
    if pa.types.is_nested(kind):
        return [random_value(r, kind.value_field, nulls, distinct) for _ in range(r.choice([0, 0, 1, 2, 5]))]
    if distinct < 1000:
        return flat_value(random.Random(r.randrange(distinct)), kind)
    return flat_value(r, kind)


def flat_value(r, kind):
    if pa.types.is_dictionary(kind):
        return flat_value(random.Random(r.randrange(20)), kind.value_type)
    if isinstance(kind, pa.UuidType):
        return r.randbytes(16)
    if isinstance(kind, pa.JsonType):
        return r.choice(['{"a": 1}', "[1, 2]", '"x"', "null"])
    if pa.types.is_boolean(kind):
        return r.random() < 0.5
    if pa.types.is_integer(kind):
        signed = pa.types.is_signed_integer(kind)
        low, high = (-(1 << kind.bit_width - 1), (1 << kind.bit_width - 1) - 1) if signed else (0, (1 << kind.bit_width) - 1)
        return r.choice([low, high, r.randint(low, high), r.randint(0, 100), r.randint(0, 100)])
    if pa.types.is_float16(kind):
        return struct.unpack("e", struct.pack("H", r.randrange(1 << 16)))[0]
    if pa.types.is_float32(kind):
        return struct.unpack("f", struct.pack("I", r.randrange(1 << 32)))[0] if r.random() < 0.5 else r.choice([0.0, -0.0, 1.5, float("nan"), float("inf")])
    if pa.types.is_float64(kind):
        return struct.unpack("d", r.randbytes(8))[0] if r.random() < 0.5 else r.choice([0.0, -0.0, 1.5, float("nan"), float("-inf")])
    if pa.types.is_decimal(kind):
        return decimal.Decimal(digits(r, kind.precision)).scaleb(-kind.scale, decimal.Context(prec=80))
    if pa.types.is_date(kind):
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-700_000, 2_900_000))
    if pa.types.is_time(kind):
        per_second = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[kind.unit]
        return r.randrange(86_400 * per_second)
    if pa.types.is_timestamp(kind):
        return moment(r, {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[kind.unit])
    if pa.types.is_duration(kind):
        return r.randint(-(1 << 40), 1 << 40)
    if pa.types.is_fixed_size_binary(kind):
        return r.randbytes(kind.byte_width)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return r.choice(["", "a", "é" * r.randrange(9), str(r.randrange(1000)), "key-%05d" % r.randrange(100000), "😀" * r.randrange(40)])
    return r.randbytes(r.choice([0, 1, 4, 13, 100]))


def random_array(r, field, rows):
    nulls = r.choice([0, 0.01, 0.2, 0.9, 1])
    distinct = r.choice([1, 4, 100, 1000])
    values = [random_value(r, field, nulls, distinct) for _ in range(rows)]
    return pa.array(values, field.type)


def random_table(r, flat):
    rows = r.choice([0, 1, 9, 60, 60, 250])
    fields = [
        random_field(r, f"c{i}", flat, r.choice([0, 0, 1, 2, 5])) for i in range(r.randint(1, 5))]
    return pa.table([random_array(r, field, rows) for field in fields], pa.schema(fields))


# --- pyarrow's writer

ENCODINGS = {
    "BOOLEAN": ["PLAIN", "RLE"],
    "INT32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "INT64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "FLOAT": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "DOUBLE": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "BYTE_ARRAY": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "FIXED_LEN_BYTE_ARRAY": ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"],
    "INT96": ["PLAIN"],
}


def pyarrow_options(r, table):
    options = dict(
        version=r.choice(["1.0", "2.4", "2.6", "2.6"]),
        data_page_version=r.choice(["1.0", "2.0"]),
        compression=r.choice(["none", "snappy", "gzip", "zstd", "lz4"]),
        use_dictionary=r.choice([True, False]),
        dictionary_pagesize_limit=r.choice([1, 100, 1 << 20]),
        data_page_size=r.choice([1, 100, 1 << 20]),
        write_batch_size=r.choice([1, 16, 1024]),
        max_rows_per_page=r.choice([1, 10, 20_000]),
        write_statistics=r.choice([True, False]),
        write_page_index=r.choice([True, False]),
        write_page_checksum=r.choice([True, False]),
        store_decimal_as_integer=r.choice([True, False]),
        use_compliant_nested_type=r.choice([True, False]),
        store_schema=r.choice([True, False]),
        use_deprecated_int96_timestamps=r.random() < 0.2,
        write_time_adjusted_to_utc=r.choice([True, False]),
        allow_truncated_timestamps=True,
    )
    if not options["use_deprecated_int96_timestamps"]:
        options["coerce_timestamps"] = r.choice([None, None, "ms", "us"])
    if options["compression"] in ("gzip", "zstd"):
        options["compression_level"] = r.choice([1, 6])
    return options


def write_pyarrow(r, path):
    table = random_table(r, FLAT)
    options = pyarrow_options(r, table)
    rows = r.choice([1 << 20, 1 << 20, 7, 50])
    buffer = pa.BufferOutputStream()
    pq.write_table(table.slice(0, 0), buffer, **options)
    schema = pq.ParquetFile(pa.BufferReader(buffer.getvalue())).schema
    leaves = [schema.column(i) for i in range(len(schema))]
    if not options["use_dictionary"] and r.random() < 0.7:
        options["column_encoding"] = {leaf.path: r.choice(ENCODINGS[leaf.physical_type]) for leaf in leaves}
    elif r.random() < 0.3:
        options["use_dictionary"] = [leaf.path for leaf in leaves if r.random() < 0.5]
    if r.random() < 0.2:
        options.pop("compression_level", None)
        options["compression"] = {leaf.path: r.choice(["none", "snappy", "gzip", "zstd", "lz4"]) for leaf in leaves}
    pq.write_table(table, path, row_group_size=rows, **options)
    # Other moments than the table's are in the file then.
    is_changed = options["version"] != "2.6" or options["use_deprecated_int96_timestamps"] or options.get("coerce_timestamps")
    return f"pyarrow: {table.schema} {options} row_group_size={rows}", None if is_changed else table


# --- DuckDB's writer

EXPRESSIONS = [
    "uuid()", "i::hugeint * 1000000007", "interval (i) month + interval (i * 3) second",
    "time '01:02:03' + interval (i) minute", "('2001-01-01'::timestamp + interval (i) day)::timestamp_s",
    "('2001-01-01'::timestamp + interval (i) day)::timestamp_ms",
    "('2001-01-01'::timestamp + interval (i) day)::timestamp_ns",
    "('2001-01-01'::timestamp + interval (i) hour)::timestamptz",
    "(case i % 3 when 0 then 'red' when 1 then 'green' else null end)::enum('red', 'green', 'blue')",
    "('{\"a\": ' || i || '}')::json", "[i, null, i * 2]", "[i, i + 1]",
    "{'a': i, 'b': {'c': 'x' || i, 'd': [i]}}", "map([i, i + 1], ['a', null])", "i::utinyint",
    "i::usmallint", "i::uinteger", "i::ubigint", "(i / 7)::float", "(i / 7)::double", "i % 2 = 0",
    "(i::decimal(18, 3)) / 8", "i::decimal(4, 1)", "i::decimal(38, 5)", "('\\x' || '0A')::blob",
    "date '1992-01-01' + i::int", "nullif(i % 5, 3)", "'k' || (i % 4)", "repeat('é', (i % 50)::int)",
]


def write_duckdb(r, engine, path):
    connection = engine.connection
    if r.random() < 0.5:
        source = random_table(r, FLAT)
        pq.write_table(source, path + ".source")
        query = f"from read_parquet('{path}.source')"
    else:
        count = r.choice([0, 1, 60, 250, 3000])
        chosen = [r.choice(EXPRESSIONS) for _ in range(r.randint(1, 6))]
        columns = [
            f"{expression} as c{k}" if r.random() < 0.5
            else f"case when i % 3 = 1 then null else {expression} end as c{k}"
            for k, expression in enumerate(chosen)]
        query = f"select {', '.join(columns)} from (select range % 200 as i from range({count}))"
    options = ["format parquet", "codec " + r.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4_raw"])]
    options.append("parquet_version " + r.choice(["v1", "v2"]))
    if r.random() < 0.5:
        options.append(f"row_group_size {r.choice([2048, 4096])}")
    if r.random() < 0.5:
        options.append(f"dictionary_size_limit {r.choice([0, 1, 10, 1000])}")
    if r.random() < 0.3:
        options.append(f"bloom_filter_false_positive_ratio {r.choice([0.001, 0.3])}")
    if r.random() < 0.3:
        options.append("field_ids 'auto'")
    connection.execute(f"copy ({query}) to '{path}' ({', '.join(options)})")
    if os.path.exists(path + ".source"):
        os.unlink(path + ".source")
    return f"DuckDB: {query} {options}", None


def make(folder, seed, count):
    engine = DuckDB()
    with open(folder + "/expected.tsv", "w") as lines:
        for i in range(count):
            r = random.Random((seed << 20) + i)
            name = f"{i}.parquet"
            path = folder + "/" + name
            try:
                what, source = write_duckdb(r, engine, path) if i % 3 == 2 else write_pyarrow(r, path)
            except Exception as error:
                # What the writer does not have, Lake need not read; counted, so that a run in which
                # nothing was written is noticed.
                print(name, "unwritten", reason(error), sep="\t")
                continue
            try:
                table = read_pyarrow(path)
            except Exception as error:
                # pyarrow can't read all that it and DuckDB write: what was written counts then.
                print(name, "unread", reason(error), sep="\t")
                table = source if i % 3 != 2 else engine.read(path)
            if table is None:
                continue
            for place, column in enumerate(table.columns):
                print(name, table.num_rows, place, checksum(column), sep="\t", file=lines)
            print(name, "made", what.replace("\n", " "), sep="\t")


def describe(folder, names):
    engine = DuckDB()
    for name in names:
        for label, read in (("pyarrow", read_pyarrow), ("duckdb", engine.read)):
            try:
                table = read(folder + "/" + name)
                for place, column in enumerate(table.columns):
                    print(label, name, table.num_rows, place, checksum(column), sep="\t")
            except Exception as error:
                print(label, name, "error", reason(error), sep="\t")


# --- variants

VARIANTS = [
    "case i % 3 when 0 then i::variant when 1 then ('s' || i)::variant else null end",
    "case i % 4 when 3 then 'x'::variant else {'a': i, 'b': {'c': 't' || i, 'd': [i, null, i + 1]}, 'e': i::double / 3}::variant end",
    "case i % 9 when 0 then (i::decimal(5, 2))::variant when 1 then (date '2020-01-01' + i::int)::variant"
    " when 2 then timestamp '2020-01-01 01:02:03.5'::variant when 3 then uuid()::variant"
    " when 4 then 'blob'::blob::variant when 5 then (i % 2 = 0)::variant when 6 then 1e10::variant"
    " when 7 then repeat('long', i::int)::variant else i::tinyint::variant end",
    "timestamptz '2020-01-01 00:00:00Z'::variant", "uuid()::variant", "(i::float)::variant",
    "(i::decimal(9, 3))::variant", "(i::decimal(18, 3))::variant", "(i::decimal(38, 3))::variant",
    "{'a': [{'b': i::smallint, 'c': 'x' || i}]}::variant", "('blob' || i)::blob::variant",
    "(timestamp '1960-01-01' + interval (i) hour)::timestamp_ns::variant", "[i, i * 2]::variant",
    "(i % 2 = 0)::variant", "{'k': i::tinyint, 'l': {'m': {'n': date '1950-02-03'}}}::variant",
]


def random_json(r, depth):
    kind = r.randrange(7 if depth else 4)
    if kind == 0:
        return r.choice(["null", "true", "false"])
    if kind == 1:
        return r.choice([str(r.randint(-1000, 1000)), "%.3f" % r.uniform(-9, 9), "9007199254740993"])
    if kind <= 3:
        return '"' + r.choice(["", "a", "é", "x" * r.randrange(200)]) + '"'
    if kind == 4:
        return "[" + ",".join(random_json(r, depth - 1) for _ in range(r.choice([0, 1, 3, 300 if depth == 3 else 2]))) + "]"
    names = r.sample(["a", "b", "c", "long name", "é", "z"], r.randrange(5))
    return "{" + ",".join(f'"{name}":{random_json(r, depth - 1)}' for name in names) + "}"


def variants(folder, seed):
    connection = DuckDB().connection
    count = len(VARIANTS) + 30
    for i in range(count):
        r = random.Random((seed << 20) + i)
        if i < len(VARIANTS):
            query = f"select {VARIANTS[i]} as v from (select range as i from range(60))"
        else:
            shape = r.choice([0, 3])
            rows = pa.table({"j": [random_json(r, 3) if shape else '{"a":%s,"b":%s}' % (random_json(r, 1), random_json(r, 2)) for _ in range(r.choice([1, 40]))]})
            connection.register("rows", rows)
            query = "select j::json::variant as v from rows"
        connection.execute(f"copy ({query}) to '{folder}/{i}.parquet'")
    print("made", count, sep="\t")


def plain(row):
    """A row of text, type, null: decimals by value and scale, as variants don't have a precision."""
    if row[1].startswith("DECIMAL"):
        return decimal.Decimal(row[0]), row[1].split(",")[1], row[2]
    return row


def compare_variants(folder):
    connection = DuckDB().connection
    names = [name for name in os.listdir(folder) if name.endswith(".parquet") and "written" not in name]
    count = 0
    for name in names:
        query = "select v::varchar, variant_typeof(v), v is null from read_parquet($1)"
        path = folder + "/" + name
        try:
            made, written = (
                connection.execute(query, [p]).fetchall()
                for p in (path, path.replace(".parquet", ".written.parquet")))
        except Exception as error:
            print(name, reason(error), sep="\t")
            continue
        count += len(made)
        for a, b in zip(made, written):
            if plain(a) != plain(b):
                print(name, a, b, sep="\t")
        if len(made) != len(written):
            print(name, f"{len(written)} rows, expected {len(made)}", sep="\t")
    print("checked", len(names), count, sep="\t")


def spelled(value, typed):
    """A JSON value with the strings of moments and binary as DuckDB spells them."""
    if isinstance(value, list):
        return [spelled(x, typed) for x in value]
    if isinstance(value, dict):
        return {name: spelled(x, typed) for name, x in value.items()}
    if not isinstance(value, str):
        return value
    moment = re.fullmatch(r"(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d)\.(\d+)(Z?)", value)
    if moment:
        day, time, fraction, zone = moment.groups()
        fraction = fraction.rstrip("0")
        return (day + " " if day else "") + time + ("." + fraction if fraction else "") + ("+00" if zone else "")
    if typed == "BLOB":
        return "".join(
            chr(x) if 32 <= x < 127 and x not in b"\\'\"" else "\\x%02X" % x for x in bytes.fromhex(value[2:]))
    return value


def compare_json(folder):
    connection = DuckDB().connection
    connection.execute("set timezone = 'UTC'")
    names = [name for name in os.listdir(folder) if name.endswith(".jsonl")]
    count = 0
    for name in names:
        query = "select v::json, variant_typeof(v) from read_parquet($1)"
        told = connection.execute(query, [f"{folder}/{name[:-6]}.parquet"]).fetchall()
        with open(f"{folder}/{name}", encoding="utf-8") as lines:
            found = [json.loads(line)["v"] for line in lines]
        if len(told) != len(found):
            print(name, len(told), len(found), sep="\t")
        for (text, typed), row in zip(told, found):
            count += 1
            # DuckDB 1.5 leaves out the zero before the point of a decimal.
            expected = None if text is None else json.loads("0" + text if text.startswith(".") else text)
            if spelled(row, typed) != expected:
                print(name, json.dumps(row), text, sep="\t")
    print("checked", len(names), count, sep="\t")


if __name__ == "__main__":
    if sys.argv[1] == "variants":
        variants(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "compare-variants":
        compare_variants(sys.argv[2])
    elif sys.argv[1] == "compare-json":
        compare_json(sys.argv[2])
    elif sys.argv[1] == "check":
        check(sys.argv[2])
    elif sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        describe(sys.argv[2], sys.argv[3:])
