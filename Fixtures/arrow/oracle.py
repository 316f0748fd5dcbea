# SPDX-License-Identifier: Apache-2.0
"""What pyarrow and polars make of Arrow files, as canonical rows; and Arrow files by pyarrow.

    oracle.py LIB rows FOLDER            for each *.arrow and *.arrows: NAME.pyarrow, NAME.polars
    oracle.py LIB make FOLDER SEED N     random tables with all that pyarrow can write: NAME, NAME.rows
    oracle.py LIB fixtures FOLDER        the files of this folder

LIB is the folder of canon.py, which says what canonical rows are.
"""
import decimal
import itertools
import os
import random
import sys
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

sys.path.insert(0, sys.argv[1])
import canon  # noqa: E402


def lists(sizes, values, arr):
    offsets = pa.array([0] + list(itertools.accumulate(sizes)), pa.int64())
    return pa.LargeListArray.from_arrays(offsets, values, mask=arr.is_null())


def plain(arr):
    """The same values in types that canon knows."""
    t = arr.type
    if isinstance(t, pa.BaseExtensionType):
        values = [None if x is None else str(uuid.UUID(bytes=x)) for x in arr.storage.to_pylist()]
        return pa.array(values, pa.string())
    if pa.types.is_run_end_encoded(t):
        return plain(pc.run_end_decode(arr))
    if pa.types.is_dictionary(t):
        return plain(arr.dictionary_decode())
    if pa.types.is_uint64(t):
        return arr.cast(pa.decimal128(20, 0))
    if pa.types.is_decimal256(t) or pa.types.is_decimal32(t) or pa.types.is_decimal64(t):
        return arr.cast(pa.decimal128(min(t.precision, 38), t.scale))
    if t == pa.string_view() or pa.types.is_large_string(t):
        return arr.cast(pa.string())
    if t == pa.binary_view() or pa.types.is_large_binary(t):
        return arr.cast(pa.binary())
    if pa.types.is_float16(t):
        return arr.cast(pa.float32())
    if pa.types.is_list(t) or pa.types.is_large_list(t):  # flatten does not know all types
        ends, valid = arr.offsets.to_pylist(), arr.is_valid().to_pylist()
        rows = [range(a, b) if v else [] for a, b, v in zip(ends, ends[1:], valid)]
        flat = plain(arr.values).take(pa.array(list(itertools.chain(*rows)), pa.int64()))
        return lists([len(r) for r in rows], flat, arr)
    if pa.types.is_fixed_size_list(t) or pa.types.is_list_view(t) or pa.types.is_large_list_view(t):
        return lists([s or 0 for s in pc.list_value_length(arr).to_pylist()], plain(arr.flatten()), arr)
    if pa.types.is_struct(t):
        kids = [plain(arr.field(i)) for i in range(t.num_fields)]
        names = [t.field(i).name for i in range(t.num_fields)]
        return pa.StructArray.from_arrays(kids, names, mask=arr.is_null()) if kids else arr
    return arr


def lines(table):
    found = []
    for batch in table.to_batches():
        arrays = [plain(a) for a in batch.columns]
        found += canon.arrow_lines(pa.table(arrays, names=table.column_names))
    return sorted(found, key=lambda x: x.encode())


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(r + "\n" for r in rows)


def read(path):
    with pa.OSFile(path) as f:
        reader = ipc.open_stream(f) if path.endswith(".arrows") else ipc.open_file(f)
        table = reader.read_all()
    table.validate(full=True)
    return table


def rows(folder):
    try:
        import polars
    except ImportError:
        polars = None
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith((".arrow", ".arrows")):
            write(path + ".pyarrow", lines(read(path)))
            if polars:
                load = polars.read_ipc_stream if name.endswith(".arrows") else polars.read_ipc
                frame = load(path)
                write(path + ".polars", [f"{frame.height} {frame.width}"])


def moment(r):
    return r.randint(-10**15, 4 * 10**15)


FLAT = {
    "null": (pa.null(), lambda r: None),
    "bool": (pa.bool_(), lambda r: r.random() < 0.5),
    "i8": (pa.int8(), lambda r: r.randint(-128, 127)),
    "i16": (pa.int16(), lambda r: r.randint(-2**15, 2**15 - 1)),
    "i32": (pa.int32(), lambda r: r.randint(-2**31, 2**31 - 1)),
    "i64": (pa.int64(), lambda r: r.randint(-2**63, 2**63 - 1)),
    "u8": (pa.uint8(), lambda r: r.randint(0, 255)),
    "u16": (pa.uint16(), lambda r: r.randint(0, 2**16 - 1)),
    "u32": (pa.uint32(), lambda r: r.randint(0, 2**32 - 1)),
    "u64": (pa.uint64(), lambda r: r.randint(0, 2**64 - 1)),
    "f32": (pa.float32(), lambda r: r.choice([0.0, -0.0, 1.5, float("nan"), float("-inf"), 3e38])),
    "f64": (pa.float64(), lambda r: r.choice([0.0, 1e300, float("nan"), float("inf"), r.random()])),
    "dec32": (pa.decimal32(7, 2), lambda r: decimal.Decimal(r.randint(-9999999, 9999999)).scaleb(-2)),
    "dec64": (pa.decimal64(17, 0), lambda r: decimal.Decimal(r.randint(-10**16, 10**16))),
    "dec9": (pa.decimal128(9, 3), lambda r: decimal.Decimal(r.randint(-10**8, 10**8)).scaleb(-3)),
    "dec38": (pa.decimal128(38, 5), lambda r: decimal.Decimal(r.randint(-10**37, 10**37)).scaleb(-5)),
    "dec256": (pa.decimal256(38, 1), lambda r: decimal.Decimal(r.randint(-10**37, 10**37)).scaleb(-1)),
    "date32": (pa.date32(), lambda r: r.randint(-10**5, 10**5)),
    "date64": (pa.date64(), lambda r: r.randint(-10**5, 10**5) * 86400000),
    "time_s": (pa.time32("s"), lambda r: r.randint(0, 86399)),
    "time_ms": (pa.time32("ms"), lambda r: r.randint(0, 86399999)),
    "time_us": (pa.time64("us"), lambda r: r.randint(0, 86399999999)),
    "time_ns": (pa.time64("ns"), lambda r: r.randint(0, 86399999999) * 1000),
    "ts_s": (pa.timestamp("s"), lambda r: moment(r) // 10**6),
    "ts_ms": (pa.timestamp("ms", "UTC"), lambda r: moment(r) // 10**3),
    "ts_us": (pa.timestamp("us"), moment),
    "ts_ns": (pa.timestamp("ns", "Europe/Oslo"), lambda r: moment(r) * 1000 + 7),
    "utf8": (pa.string(), lambda r: "é" * r.randint(0, 9) + str(r.randint(0, 99))),
    "utf8_large": (pa.large_string(), lambda r: "x" * r.randint(0, 30)),
    "utf8_view": (pa.string_view(), lambda r: "ø" * r.randint(0, 15)),
    "bin": (pa.binary(), lambda r: r.randbytes(r.randint(0, 20))),
    "bin_large": (pa.large_binary(), lambda r: r.randbytes(r.randint(0, 5))),
    "bin_view": (pa.binary_view(), lambda r: r.randbytes(r.randint(0, 40))),
    "fixed": (pa.binary(5), lambda r: r.randbytes(5)),
}


def flat(r, key, n, nulls):
    kind, value = FLAT[key]
    values = [None if r.random() < nulls else value(r) for _ in range(n)]
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return pa.array(values, pa.int32()).cast(kind)
    if pa.types.is_date64(kind) or pa.types.is_time64(kind) or pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def column(r, n, depth):
    nulls = r.choice([0, 0, 0.2, 0.95])
    choice = r.randint(0, 9)
    if depth == 0 or choice < 4:
        return flat(r, r.choice(list(FLAT)), n, nulls)
    mask = pa.array([r.random() < nulls for _ in range(n)], pa.bool_())
    if choice == 4:
        kids = [column(r, n, depth - 1) for _ in range(r.randint(1, 3))]
        return pa.StructArray.from_arrays(kids, [f"f{i}" for i in range(len(kids))], mask=mask)
    if choice in (5, 6):
        sizes = [r.choice([0, 0, 1, 3]) for _ in range(n)]
        ends = [0]
        for s in sizes:
            ends.append(ends[-1] + s)
        values = column(r, ends[-1], depth - 1)
        if choice == 5:
            return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=mask)
        return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), values, mask=mask)
    if choice == 7:
        size = r.randint(1, 3)
        return pa.FixedSizeListArray.from_arrays(
            flat(r, r.choice(["i32", "utf8", "f64"]), n * size, nulls), size, mask=mask)
    if choice == 8:
        maps = [None if r.random() < nulls else
                [(f"k{i}", r.choice([None, i])) for i in range(r.choice([0, 1, 3]))] for _ in range(n)]
        return pa.array(maps, pa.map_(pa.string(), pa.int64()))
    values = flat(r, r.choice(["utf8", "i64", "dec9", "bin", "ts_us"]), 1 + r.randint(0, 6), 0.1)
    codes = pa.array([None if r.random() < nulls else r.randrange(len(values)) for _ in range(n)],
                     r.choice([pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64()]))
    return pa.DictionaryArray.from_arrays(codes, values)


def runs(r, n):
    return pc.run_end_encode(pa.array([r.choice(["a", "a", "bb", None]) for _ in range(n)]).sort(),
                             run_end_type=r.choice([pa.int16(), pa.int32(), pa.int64()]))


def views(r, n):
    values = pa.array([f"v{i}" for i in range(20)])
    starts = [r.randint(0, 15) for _ in range(n)]
    return pa.ListViewArray.from_arrays(
        pa.array(starts, pa.int32()), pa.array([r.randint(0, 4) for _ in range(n)], pa.int32()), values)


def sink(path, schema, r):
    # pyarrow can't read what it compresses with metadata of version 4 itself.
    version, compression = r.choice([
        (ipc.MetadataVersion.V4, None), (ipc.MetadataVersion.V5, None),
        (ipc.MetadataVersion.V5, "lz4"), (ipc.MetadataVersion.V5, "zstd")])
    options = ipc.IpcWriteOptions(
        compression=compression, emit_dictionary_deltas=r.random() < 0.5,
        unify_dictionaries=path.endswith(".arrow"), metadata_version=version,
        use_legacy_format=path.endswith(".arrows") and r.random() < 0.3)
    make = ipc.new_stream if path.endswith(".arrows") else ipc.new_file
    return make(path, schema, options=options)


def make(folder, seed, count):
    r = random.Random(seed)
    for index in range(count):
        n = r.choice([0, 1, 7, 64, 200])
        arrays = [column(r, n, r.randint(0, 3)) for _ in range(r.randint(1, 6))]
        if r.random() < 0.3:
            arrays += [runs(r, n), views(r, n)]
        names = [f"c{i}" for i in range(len(arrays))]
        batch = pa.record_batch(arrays, names)
        if r.random() < 0.5:  # a part of what is in memory
            batch = batch.slice(r.randint(0, n // 2), r.randint(0, n))
        path = os.path.join(folder, f"t{index}" + r.choice([".arrow", ".arrows"]))
        batches = [batch]
        if path.endswith(".arrows") and r.random() < 0.5:
            batches.append(batch.slice(0, batch.num_rows // 2))
        with sink(path, batch.schema, r) as writer:
            for b in batches:
                writer.write_batch(b)
        assert read(path).num_rows == sum(b.num_rows for b in batches)
        write(path + ".rows", lines(pa.Table.from_batches(batches)))


def fixtures(folder):
    r = random.Random(1)
    arrays = [flat(r, key, 12, 0.2) for key in FLAT]
    table = pa.table(arrays, names=list(FLAT))
    for name, compression in [("all.arrows", None), ("all_zstd.arrow", "zstd"), ("all_lz4.arrow", "lz4")]:
        path = os.path.join(folder, name)
        options = ipc.IpcWriteOptions(compression=compression)
        kind = ipc.new_stream if name.endswith("s") else ipc.new_file
        with kind(path, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=5)
    write(os.path.join(folder, "all.rows"), lines(table))
    # A dictionary that grows, and one that is replaced.
    kind = pa.dictionary(pa.int8(), pa.string())
    for name, deltas, parts in [
        ("delta.arrows", True, [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]]),
        ("replaced.arrows", False, [["a", "b"], ["x"], ["b", "y", "z"]]),
    ]:
        path = os.path.join(folder, name)
        batches = [
            pa.record_batch([pa.DictionaryArray.from_arrays(
                pa.array([0, None, len(part) - 1], pa.int8()), pa.array(part))], ["d"]) for part in parts]
        with ipc.new_stream(path, pa.schema([("d", kind)]),
                            options=ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)) as writer:
            for b in batches:
                writer.write_batch(b)
        write(path.replace(".arrows", ".rows"), lines(pa.Table.from_batches(batches)))
    # Types that no table has.
    for name, kind in [("duration", pa.duration("s")), ("interval", pa.month_day_nano_interval()),
                       ("union", pa.sparse_union([pa.field("a", pa.int32())]))]:
        path = os.path.join(folder, f"unsupported_{name}.arrows")
        with ipc.new_stream(path, pa.schema([("x", pa.struct([("y", kind)]))])):
            pass


if __name__ == "__main__":
    command, folder = sys.argv[2], sys.argv[3]
    if command == "rows":
        rows(folder)
    elif command == "make":
        make(folder, int(sys.argv[4]), int(sys.argv[5]))
    else:
        fixtures(folder)
