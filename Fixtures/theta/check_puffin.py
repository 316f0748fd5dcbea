# SPDX-License-Identifier: Apache-2.0
"""Holds a table's statistics file against what PyIceberg reads of it.

Arguments: the file, then FIELD NDV, repeated.
"""
import sys

from pyiceberg.table.puffin import PuffinFile

with open(sys.argv[1], "rb") as file:
    data = file.read()
arguments = iter(sys.argv[2:])
wanted = [([int(field)], {"ndv": ndv}) for field, ndv in zip(arguments, arguments)]
blobs = PuffinFile(data).footer.blobs
found = [(blob.fields, blob.properties) for blob in blobs]
assert found == wanted, f"{found}, not {wanted}"
assert all(blob.type == "apache-datasketches-theta-v1" for blob in blobs)
