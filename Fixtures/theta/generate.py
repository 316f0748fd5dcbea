# SPDX-License-Identifier: Apache-2.0
"""Theta sketches as Apache DataSketches writes them (pip install datasketches)."""

import pathlib

from datasketches import compact_theta_sketch, update_theta_sketch

folder = pathlib.Path(__file__).parent


def write(name, values):
    sketch = update_theta_sketch(12)
    for value in values:
        sketch.update(value)
    sketch.trim()
    data = sketch.compact(True).serialize()
    (folder / name).write_bytes(data)
    print(name, len(data), compact_theta_sketch.deserialize(data).get_estimate())


write("longs_0.theta", [])
write("longs_1.theta", range(1))
write("longs_3.theta", range(3))
write("longs_100000.theta", range(100000))
write("texts_50.theta", [f"a text of some length, number {i}" for i in range(50)])
