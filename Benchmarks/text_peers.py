# SPDX-License-Identifier: Apache-2.0
"""Reads CSV and JSON lines beside DuckDB and polars: text_peers.py LAKE_BENCH [repetitions]

Makes its inputs under BENCH_DATA/text where they are missing, of BENCH_DATA/lineitem.parquet:
600000 rows as csv, and 200000 as JSON lines with a structure and a list in each. Each reading is a
process of its own. Prints the medians of wall clock and processor seconds, by input, threads and
engine, and DuckDB's time over Lake's: above 1, Lake is the faster one.
"""
import json
import os
import statistics
import subprocess
import sys

READ = """
import json, os, sys, time
path, threads, engine = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = str(threads)
if engine == "duckdb":
    import duckdb
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    function = "read_csv" if path.endswith("csv") else "read_json"
    def read(): return connection.execute(f"from {function}('{path}')").to_arrow_table().num_rows
else:
    import polars
    def read():
        return (polars.read_csv(path, try_parse_dates=True) if path.endswith("csv") else polars.read_ndjson(path)).height
wall, cpu = time.perf_counter(), time.process_time()
rows = read()
print(json.dumps({"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "out_rows": rows}))
"""

INPUTS = {
    "lineitem.csv": "copy (from '{0}/lineitem.parquet' limit 600000) to '{1}' (header)",
    "lineitem.jsonl": "copy (select *, {{'mode': l_shipmode, 'line': l_linenumber}} as ship,"
    " [l_discount, l_tax] as rates from '{0}/lineitem.parquet' limit 200000) to '{1}' (format json)",
}


def main():
    ours, repetitions = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    data = os.environ["BENCH_DATA"]
    os.makedirs(data + "/text", exist_ok=True)
    for name, query in INPUTS.items():
        path = f"{data}/text/{name}"
        if not os.path.exists(path):
            import duckdb
            duckdb.sql(query.format(data, path))
        workload = "csv_read" if name.endswith("csv") else "jsonl_read"
        for threads in (1, 2):
            runs = {"lake": [], "duckdb": [], "polars": []}
            for _ in range(repetitions):
                for engine in runs:
                    command = (
                        [ours, workload, str(threads), json.dumps({"file": "text/" + name})]
                        if engine == "lake" else [sys.executable, "-c", READ, path, str(threads), engine])
                    if threads == 1:
                        command = ["taskset", "-c", "0"] + command
                    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                    runs[engine].append(json.loads(output.strip().splitlines()[-1]))
            rows = {run["out_rows"] for all_runs in runs.values() for run in all_runs}
            assert len(rows) == 1, f"engines read different numbers of rows: {rows}"
            median = {
                engine: {key: statistics.median(run[key] for run in all_runs) for key in ("wall_s", "cpu_s")}
                for engine, all_runs in runs.items()}
            for engine, found in median.items():
                ratio = median["duckdb"]["wall_s"] / found["wall_s"]
                print(f"{name} threads={threads} {engine}: wall {found['wall_s']:.3f} s, cpu {found['cpu_s']:.3f} s, {ratio:.2f} x duckdb")


main()
