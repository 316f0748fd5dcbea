# SPDX-License-Identifier: Apache-2.0
"""Exchanges streams with libArrowExchange in one process, and checks what comes back.

    exchange.py LIB LIBRARY SEED

LIB is the folder of canon.py, LIBRARY the shared library of Tests/ArrowExchange.
"""
import ctypes
import gc
import os
import random
import sys

import pyarrow as pa

sys.path.insert(0, os.path.dirname(__file__))
import oracle  # noqa: E402

lake = ctypes.CDLL(sys.argv[2])


def new(kind):
    words = {"ArrowSchema": 9, "ArrowArray": 10, "ArrowArrayStream": 5}[kind]
    place = (ctypes.c_int64 * words)()
    return place, ctypes.addressof(place)


def call(name, *addresses):
    assert getattr(lake, name)(*[ctypes.c_void_p(a) for a in addresses]) == 0, name


def through(batches, schema):
    """The stream that the library gives on of `batches`."""
    keep_in, source = new("ArrowArrayStream")
    keep_out, target = new("ArrowArrayStream")
    pa.RecordBatchReader.from_batches(schema, batches)._export_to_c(source)
    call("lake_arrow_pass_on", source, target)
    return pa.RecordBatchReader._import_from_c(target)


def random_streams(seed):
    r = random.Random(seed)
    before = pa.total_allocated_bytes()
    for _ in range(200):
        n = r.choice([0, 1, 7, 64, 200])
        arrays = [oracle.column(r, n, r.randint(0, 3)) for _ in range(r.randint(1, 6))]
        if r.random() < 0.3:
            arrays += [oracle.runs(r, n), oracle.views(r, n)]
        batch = pa.record_batch(arrays, [f"c{i}" for i in range(len(arrays))])
        batch = batch.slice(r.randint(0, n // 2), r.randint(0, n))
        batches = [batch, batch.slice(batch.num_rows // 3)]
        expected = oracle.lines(pa.Table.from_batches(batches))
        table = through(batches, batch.schema).read_all()
        table.validate(full=True)
        found = oracle.lines(table)
        assert found == expected, (batch.schema, list(zip(found, expected))[:3])
        del table
    del batch, batches, arrays
    # What converters keep for themselves is little; a stream that is not given back is not.
    left = pa.total_allocated_bytes() - before
    assert left < 1 << 16, f"memory that was taken is not given back: {left} bytes"


def zero_copy():
    """What goes through is the very same memory."""
    batch = pa.record_batch([pa.array(range(1000)), pa.array(["x" * i for i in range(1000)])], ["n", "s"])
    (_, array), (_, schema) = new("ArrowArray"), new("ArrowSchema")
    (keep1, out_array), (keep2, out_schema) = new("ArrowArray"), new("ArrowSchema")
    batch._export_to_c(array, schema)
    call("lake_arrow_pass_batch_on", array, schema, out_array, out_schema)
    found = pa.RecordBatch._import_from_c(out_array, out_schema)
    assert found.equals(batch)
    for a, b in zip(found.columns, batch.columns):
        assert [x and x.address for x in a.buffers()][1:] == [x and x.address for x in b.buffers()][1:]


def engines():
    def numbers(fails=0):
        keep, target = new("ArrowArrayStream")
        lake.lake_arrow_numbers(ctypes.c_void_p(target), fails)
        return pa.RecordBatchReader._import_from_c(target)

    table = numbers().read_all()
    table.validate(full=True)
    assert table.column("n").to_pylist() == list(range(3000))
    assert table.column("s").null_count == 429 and table.column("s")[1].as_py() == "n1"
    assert table.schema.field("n").metadata == {b"PARQUET:field_id": b"1"}
    try:
        numbers(1).read_all()
        raise AssertionError("an error was lost")
    except OSError as error:
        assert "no more numbers" in str(error), error
    numbers().close()  # released before its end
    try:
        import duckdb
        reader = numbers()
        assert duckdb.sql("select count(*), sum(n), count(s) from reader").fetchall() == [(3000, 4498500, 2571)]
        print("duckdb reads the stream")
    except ImportError:
        pass
    try:
        import polars
        frame = polars.from_arrow(numbers().read_all())
        assert frame["n"].sum() == 4498500
        print("polars reads the stream")
    except ImportError:
        pass


zero_copy()
engines()
random_streams(int(sys.argv[3]))
print("ok")
