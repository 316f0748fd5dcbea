# SPDX-License-Identifier: Apache-2.0
"""Prints what pyarrow reads from Parquet files, one line a column:

    file <TAB> rows <TAB> column <TAB> CRC-32 of the column's canonical text

The canonical text of a column is that of its values, each followed by a line feed. It is what
Tests/ParquetTests/CanonicalText.swift writes of a column as Lake reads it:

    null                     null
    boolean                  true, false
    integer, date, time      decimal digits; time in microseconds
    timestamp                decimal digits of micro- or nanoseconds, whichever Lake reads
    decimal                  digits of the unscaled value
    float, double            the bits in hexadecimal digits; nan for every NaN
    string, bytes            hexadecimal digits
    structure                (a,b,c)
    list                     [a,b,c]; a map is a list of structures

Usage: python describe.py FOLDER NAME...   (pyarrow 26)
"""
import decimal
import struct
import sys
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

# The usual context rounds to 28 digits.
EXACT = decimal.Context(prec=100)


def floating(value, code):
    if value != value:
        return "nan"
    return struct.pack(">" + code, value).hex()


def integer(value):
    return "null" if value is None else str(value)


def texts(array):
    """The canonical texts of an array's values."""
    kind = array.type
    if isinstance(kind, pa.Bool8Type):
        return texts(array.storage.cast(pa.bool_()))
    if isinstance(array, pa.ExtensionArray):
        return texts(array.storage)
    if pa.types.is_dictionary(kind):
        return texts(array.dictionary_decode())
    if pa.types.is_null(kind):
        return ["null"] * len(array)
    if pa.types.is_boolean(kind):
        return ["null" if v is None else "true" if v else "false" for v in array.to_pylist()]
    if pa.types.is_timestamp(kind):
        unit = "ns" if kind.unit == "ns" else "us"
        return [integer(v) for v in array.cast(pa.timestamp(unit, kind.tz)).cast(pa.int64()).to_pylist()]
    if pa.types.is_time(kind):
        if kind.unit == "ns":
            return [integer(v) for v in array.cast(pa.int64()).to_pylist()]
        return [integer(v) for v in array.cast(pa.time64("us")).cast(pa.int64()).to_pylist()]
    if pa.types.is_date(kind):
        return [integer(v) for v in array.cast(pa.date32()).cast(pa.int32()).to_pylist()]
    if pa.types.is_duration(kind):
        return [integer(v) for v in array.cast(pa.int64()).to_pylist()]
    if pa.types.is_integer(kind):
        return [integer(v) for v in array.to_pylist()]
    if pa.types.is_decimal(kind):
        return ["null" if v is None else str(int(v.scaleb(kind.scale, EXACT))) for v in array.to_pylist()]
    if pa.types.is_float16(kind):
        return ["null" if v is None else floating(float(v), "f") for v in array.to_pylist()]
    if pa.types.is_float32(kind):
        return ["null" if v is None else floating(v, "f") for v in array.to_pylist()]
    if pa.types.is_float64(kind):
        return ["null" if v is None else floating(v, "d") for v in array.to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return ["null" if v is None else v.encode().hex() for v in array.to_pylist()]
    if (
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind) or pa.types.is_binary_view(kind)
    ):
        return ["null" if v is None else v.hex() for v in array.to_pylist()]
    if pa.types.is_struct(kind):
        fields = [texts(field) for field in array.flatten()]
        rows = ["(" + ",".join(row) + ")" for row in zip(*fields)]
        return [row if ok else "null" for row, ok in zip(rows, array.is_valid().to_pylist())]
    if pa.types.is_map(kind):
        entries = pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])
        return lists(array, texts(entries))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return lists(array, texts(array.values))
    if pa.types.is_fixed_size_list(kind):
        elements = texts(array.values)
        size, start = kind.list_size, array.offset
        return [
            "[" + ",".join(elements[(start + i) * size:(start + i + 1) * size]) + "]" if ok else "null"
            for i, ok in enumerate(array.is_valid().to_pylist())
        ]
    raise TypeError(kind)


def lists(array, elements):
    offsets = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [
        "[" + ",".join(elements[offsets[i]:offsets[i + 1]]) + "]" if valid[i] else "null"
        for i in range(len(array))
    ]


def describe(path, name):
    table = pq.read_table(path, coerce_int96_timestamp_unit="us", partitioning=None)
    if table.num_columns == 0:
        print(name, table.num_rows, "", 0, sep="\t")
    for field, column in zip(table.schema, table.columns):
        crc = 0
        for chunk in column.chunks:
            for text in texts(chunk):
                crc = zlib.crc32((text + "\n").encode(), crc)
        print(name, table.num_rows, field.name, crc, sep="\t")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        try:
            describe(sys.argv[1] + "/" + name, name)
        except Exception as error:  # what another engine refuses is for the test to know
            print(name, "error: " + type(error).__name__ + ": " + str(error).splitlines()[0][:150], sep="\t")
