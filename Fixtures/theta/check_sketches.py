# SPDX-License-Identifier: Apache-2.0
"""Holds sketches against what Apache DataSketches in Java reads of them.

Arguments: PATH ESTIMATE KEPT, repeated. Needs pyspark, which has the library.
"""
import os
import sys

from pyspark.java_gateway import launch_gateway

os.environ.setdefault("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
jvm = launch_gateway().jvm
theta = jvm.org.apache.datasketches.theta
memory = jvm.org.apache.datasketches.memory.Memory

arguments = iter(sys.argv[1:])
for path, estimate, kept in zip(arguments, arguments, arguments):
    with open(path, "rb") as file:
        data = file.read()
    sketch = theta.Sketches.heapifySketch(memory.wrap(bytearray(data)))
    union = theta.SetOperation.builder().buildUnion()
    union.union(sketch)
    union.union(theta.Sketches.wrapSketch(memory.wrap(bytearray(data))))
    found = (sketch.getEstimate(), sketch.getRetainedEntries(True), union.getResult().getEstimate())
    wanted = (float(estimate), int(kept), float(estimate))
    assert all(abs(a - b) <= 1e-9 * b for a, b in zip(found, wanted)), f"{path}: {found}, not {wanted}"
    assert sketch.isOrdered() and sketch.isCompact(), path
