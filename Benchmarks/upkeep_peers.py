# SPDX-License-Identifier: Apache-2.0
"""Compaction and expiry by Lake, Spark and delta-rs, in turn within a repetition, each on a fresh copy of its table.

Usage: upkeep_peers.py LAKE_BENCH [REPETITIONS [ROWS [SNAPSHOTS]]]

Spark compacts and expires the very tables that Lake made (format 3 with deletion vectors, format 2); delta-rs, whose
deletes write no vectors but put files together, has a table of the rows that are left, in as many files. Times are of
the calls alone: Spark's session is up and has done each once before. All have two cores.

    BENCH_WORK          where tables go
    SPARK_PYTHON        a Python with pyspark 3.5 and, on PATH or in JAVA_HOME, a JDK (else Spark is left out)
    ICEBERG_SPARK_JAR   iceberg-spark-runtime-3.5_2.12-*.jar; by default the one that is found beside that Python
    DELTA_PYTHON        a Python with deltalake and pyarrow; by default this one
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

FILES, KEPT, THREADS = 200, 100, 2

SPARK = r'''
import glob, os, site, sys, time
from pyspark.sql import SparkSession
warehouse = sys.argv[1]
jar = os.environ.get("ICEBERG_SPARK_JAR") or next(
    path for root in site.getsitepackages()
    for path in sorted(glob.glob(os.path.join(root, "*", "jars", "iceberg-spark-runtime-3.5_2.12-*.jar"))))
name = "spark.sql.catalog.lake"
spark = (
    SparkSession.builder.master("local[2]").config("spark.jars", jar).config("spark.driver.extraClassPath", jar)
    .config("spark.driver.memory", "4g").config("spark.driver.host", "127.0.0.1").config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config(name, "org.apache.iceberg.spark.SparkCatalog").config(name + ".type", "hadoop")
    .config(name + ".warehouse", warehouse).config(name + ".cache-enabled", "false").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
print("ready", flush=True)
for line in sys.stdin:
    verb, kept = line.split()
    call = {
        "compact": "CALL lake.system.rewrite_data_files(table => 'b.t', options => "
                   "map('max-concurrent-file-group-rewrites', '2'))",
        "expire": "CALL lake.system.expire_snapshots(table => 'b.t', retain_last => %s, max_concurrent_deletes => 2, "
                  "older_than => TIMESTAMP '%s')" % (kept, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + 60))),
    }[verb]
    start = time.perf_counter()
    told = spark.sql(call).collect()[0].asDict()
    seconds = time.perf_counter() - start
    print(seconds, told, flush=True)
'''

DELTA_MAKE = r'''
import sys
import numpy as np, pyarrow as pa
from deltalake import DeltaTable, write_deltalake
path, rows, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for start in range(0, rows, rows // files):
    k = np.arange(start, start + rows // files, dtype=np.uint64)
    mixed = (k * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
    left = mixed % 10 != 3
    k, mixed = k[left], mixed[left]
    write_deltalake(path, pa.table({
        "k": k.astype(np.int64), "d": (mixed % 10).astype(np.int32), "price": (mixed % 100_000) / 100,
        "name": ["name %d" % n for n in mixed % 5000]}), mode="append")
assert len(DeltaTable(path).file_uris()) == files
'''

DELTA_COMPACT = r'''
import sys, time
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
start = time.perf_counter()
told = table.optimize.compact(max_concurrent_tasks=2)
print(time.perf_counter() - start, told)
'''


class Spark:
    """A session that is up."""

    def __init__(self, warehouse):
        self.process = subprocess.Popen(
            [os.environ["SPARK_PYTHON"], "-c", SPARK, warehouse], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.answer()

    def answer(self):
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("Spark ended: see its errors by running its part of this script by hand")
            if line.startswith("ready") or line[0].isdigit():
                return line

    def seconds(self, verb):
        self.process.stdin.write(f"{verb} {KEPT}\n")
        self.process.stdin.flush()
        seconds, told = self.answer().split(" ", 1)
        return float(seconds), told.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def lake(ours, workload, work, **parameters):
    environment = dict(os.environ, BENCH_WORK=work, BENCH_DATA=work)
    output = subprocess.run(
        [ours, workload, str(THREADS), json.dumps(parameters)], check=True, capture_output=True, text=True,
        env=environment).stdout
    return json.loads(output.strip().splitlines()[-1])


def python(source, *arguments):
    interpreter = os.environ.get("DELTA_PYTHON", sys.executable)
    return subprocess.run(
        [interpreter, "-c", source, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def renew(saved, path):
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(saved, path)
    os.sync()


def measure(ours, workload, verb, parameters, repetitions, root):
    """The seconds of each engine, by repetition."""
    lake(ours, workload, root, make=1, **parameters)
    table = next(os.path.dirname(path) for path, _, _ in os.walk(root) if path.endswith("/b/t/metadata"))
    warehouse = os.path.dirname(os.path.dirname(table))
    saved = os.path.join(root, "saved")
    shutil.move(table, saved)
    runs = {"lake": []}
    spark = None
    if os.environ.get("SPARK_PYTHON"):
        spark = Spark(warehouse)
        runs["spark"] = []
        renew(saved, table)
        print("spark, not counted:", *spark.seconds(verb))
    delta = os.path.join(root, "delta")
    if verb == "compact":
        python(DELTA_MAKE, delta, parameters["rows"], FILES)
        runs["delta-rs"] = []
    for _ in range(repetitions):
        shutil.rmtree(table, ignore_errors=True)
        runs["lake"].append(lake(ours, workload, os.path.join(root, "lake"), **parameters)["wall_s"])
        if spark:
            renew(saved, table)
            runs["spark"].append(spark.seconds(verb)[0])
        if verb == "compact":
            renew(delta, delta + "-run")
            runs["delta-rs"].append(float(python(DELTA_COMPACT, delta + "-run").split(" ", 1)[0]))
    if spark:
        spark.close()
    return runs


def main():
    ours = os.path.abspath(sys.argv[1])
    repetitions, rows, snapshots = (
        int(sys.argv[i]) if len(sys.argv) > i else value for i, value in ((2, 3), (3, 6_000_000), (4, 10_000)))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    workloads = [
        ("upkeep_compact", "compact", {"rows": rows, "files": FILES}),
        ("upkeep_expire", "expire", {"snapshots": snapshots, "kept": KEPT}),
    ]
    for workload, verb, parameters in workloads:
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_WORK")) as root:
            os.makedirs(os.path.join(root, "lake"))
            runs = measure(ours, workload, verb, parameters, repetitions, root)
        best = statistics.median(runs["lake"])
        words = ", ".join(
            f"{engine} {statistics.median(found):.2f} s ({statistics.median(found) / best:.1f} x Lake's; "
            f"{min(found):.2f} to {max(found):.2f})" for engine, found in runs.items())
        print(f"{verb} {json.dumps(parameters)}, load {os.getloadavg()[0]:.1f}: {words}", flush=True)


main()
