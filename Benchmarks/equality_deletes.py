# SPDX-License-Identifier: Apache-2.0
"""The workload iceberg_scan_equality_deletes of the peers: 4 columns of 6 M rows in 10 files, of which
10^5 keys are deleted by value.

    $BENCH_PYTHON equality_deletes.py PEERS_FOLDER THREADS [KEYS]

Makes BENCH_WORK/eqdel/b/eq_KEYS with pyiceberg unless it is there, as iceberg_scan_deletes makes its
tables, and prints what duckdb takes to read it (a fresh process is the caller's business).
"""
import json
import os
import sys
import time
import uuid

peers, threads, keys = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
sys.path.insert(0, peers)
from lakebench import ice  # noqa: E402


def make(catalog, name):
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.manifest import (
        DataFile, DataFileContent, FileFormat, ManifestContent, ManifestEntry, ManifestEntryStatus, ManifestWriterV2,
        write_manifest_list)
    from pyiceberg.serializers import ToOutputFile
    from pyiceberg.table.metadata import SnapshotLogEntry
    from pyiceberg.table.refs import SnapshotRef, SnapshotRefType
    from pyiceberg.table.snapshots import Operation, Snapshot, Summary
    from pyiceberg.typedef import Record

    data = pq.read_table(f"{os.environ['BENCH_DATA']}/events_base_6m.parquet")
    t = catalog.create_table(name, schema=data.schema, properties={"format-version": "2"})
    step = (data.num_rows + 9) // 10
    for start in range(0, data.num_rows, step):
        t.append(data.slice(start, step))
    t = catalog.load_table(name)
    field = t.schema().find_field("user_id")
    users = data.column("user_id").take(pa.array(range(0, data.num_rows, data.num_rows // keys)))
    column = pa.field("user_id", users.type, nullable=False, metadata={"PARQUET:field_id": str(field.field_id)})
    path = f"{t.location()}/data/eq-{uuid.uuid4()}.parquet"
    pq.write_table(pa.table([users.combine_chunks()], schema=pa.schema([column])), ice.local(path), compression="zstd")

    class Deletes(ManifestWriterV2):
        def content(self):
            return ManifestContent.DELETES

        @property
        def _meta(self):
            return {**super()._meta, "content": "deletes"}

    snap = t.current_snapshot()
    sid, seq = 7_000_000_000_001, t.metadata.last_sequence_number + 1
    manifest = f"{t.location()}/metadata/{uuid.uuid4()}-del-m0.avro"
    with Deletes(t.spec(), t.schema(), t.io.new_output(manifest), sid, "deflate") as w:
        file = DataFile.from_args(
            content=DataFileContent.EQUALITY_DELETES, file_path=path, file_format=FileFormat.PARQUET, partition=Record(),
            record_count=len(users), file_size_in_bytes=os.path.getsize(ice.local(path)), equality_ids=[field.field_id],
            spec_id=0)
        w.add_entry(ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, snapshot_id=sid, data_file=file))
    added = w.to_manifest_file()
    listed = f"{t.location()}/metadata/snap-{sid}-0-{uuid.uuid4()}.avro"
    with write_manifest_list(2, t.io.new_output(listed), sid, snap.snapshot_id, seq, "deflate") as w:
        w.add_manifests([added] + snap.manifests(t.io))
    now = max(int(time.time() * 1000), t.metadata.last_updated_ms + 1)
    new = Snapshot(
        snapshot_id=sid, parent_snapshot_id=snap.snapshot_id, sequence_number=seq, timestamp_ms=now, manifest_list=listed,
        summary=Summary(Operation.DELETE), schema_id=t.schema().schema_id)
    metadata = t.metadata.model_copy(update={
        "snapshots": t.metadata.snapshots + [new], "current_snapshot_id": sid, "last_sequence_number": seq,
        "last_updated_ms": now,
        "refs": {"main": SnapshotRef(snapshot_id=sid, snapshot_ref_type=SnapshotRefType.BRANCH)},
        "snapshot_log": t.metadata.snapshot_log + [SnapshotLogEntry(snapshot_id=sid, timestamp_ms=now)]})
    location = f"{t.location()}/metadata/99999-{uuid.uuid4()}.metadata.json"
    ToOutputFile.table_metadata(metadata, t.io.new_output(location), overwrite=True)
    return location


catalog = ice.catalog("eqdel")
name = f"b.eq_{keys}"
folder = f"{os.environ['BENCH_WORK']}/eqdel/b/eq_{keys}/metadata"
if not catalog.table_exists(name):
    make(catalog, name)
newest = max(n for n in os.listdir(folder) if n.endswith(".metadata.json"))
d = ice.duck(threads, "avro", "httpfs", "iceberg")
start = time.perf_counter()
rows = d.execute(
    f"SELECT user_id, event_ts, score, amount FROM iceberg_scan('{folder}/{newest}')").to_arrow_table().num_rows
print(json.dumps({"wall_s": time.perf_counter() - start, "out_rows": rows}))
