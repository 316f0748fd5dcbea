# SPDX-License-Identifier: Apache-2.0
"""Objects written to and read from one S3 server by Lake, boto3 and pyarrow, in turn within a repetition.

Usage: store_peers.py LAKE_BENCH [REPETITIONS]; the server is told by AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and LAKE_S3_BUCKET. Afterwards the requests and bytes of what a table does.
"""
import json
import os
import statistics
import subprocess
import sys

PEER = r'''
import json, os, sys, time
from concurrent.futures import ThreadPoolExecutor
engine, threads, objects, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
bucket, endpoint = os.environ["LAKE_S3_BUCKET"], os.environ["AWS_ENDPOINT_URL"]
body = (os.urandom(1 << 16) * (size // (1 << 16) + 1))[:size]
names = [f"bench/{engine}-{os.getpid()}/{i}" for i in range(objects)]
if engine == "boto3":
    import boto3
    from botocore.config import Config
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                          config=Config(s3={"addressing_style": "path"}, max_pool_connections=64))
    put = lambda name: client.put_object(Bucket=bucket, Key=name, Body=body)
    get = lambda name: len(client.get_object(Bucket=bucket, Key=name)["Body"].read())
    drop = lambda name: client.delete_object(Bucket=bucket, Key=name)
else:
    from pyarrow import fs, set_io_thread_count
    set_io_thread_count(max(threads, 8))
    host = endpoint.split("://")[1]
    s3 = fs.S3FileSystem(endpoint_override=host, scheme="http", region="us-east-1",
                         access_key=os.environ["AWS_ACCESS_KEY_ID"], secret_key=os.environ["AWS_SECRET_ACCESS_KEY"])
    def put(name):
        with s3.open_output_stream(f"{bucket}/{name}") as out:
            out.write(body)
    def get(name):
        with s3.open_input_file(f"{bucket}/{name}") as file:
            return len(file.read())
    drop = lambda name: s3.delete_file(f"{bucket}/{name}")
with ThreadPoolExecutor(threads) as pool:
    t0 = time.perf_counter(); list(pool.map(put, names))
    t1 = time.perf_counter(); sizes = list(pool.map(get, names))
    t2 = time.perf_counter()
    assert sizes == [size] * objects
    list(pool.map(drop, names))
print(json.dumps({"put_s": t1 - t0, "get_s": t2 - t1}))
'''


def main():
    ours = sys.argv[1]
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for objects, size in ((8, 32 << 20), (400, 64 << 10)):
        for threads in (1, 4):
            runs = {"lake": [], "boto3": [], "pyarrow": []}
            for _ in range(repetitions):
                for engine in runs:
                    command = (
                        [ours, "store_throughput", str(threads), json.dumps({"objects": objects, "bytes": size})]
                        if engine == "lake" else
                        [sys.executable, "-c", PEER, engine, str(threads), str(objects), str(size)])
                    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                    runs[engine].append(json.loads(output.strip().splitlines()[-1]))
            for verb in ("put_s", "get_s"):
                medians = {engine: statistics.median(run[verb] for run in found) for engine, found in runs.items()}
                words = ", ".join(
                    f"{engine} {objects * size / 1e6 / seconds:.0f} MB/s ({seconds / medians['lake']:.2f} x Lake's time)"
                    for engine, seconds in medians.items())
                print(f"{verb[:3]} {objects} x {size >> 10} KiB, {threads} at a time: {words}")
    output = subprocess.run(
        [ours, "store_costs", "1", json.dumps({"files": 10, "rows": 50_000})], check=True, capture_output=True, text=True)
    for name, value in json.loads(output.stdout.strip().splitlines()[-1]).items():
        print(f"{name} {value:g}")


main()
