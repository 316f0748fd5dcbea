// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Column {
  /// A column of 64-bit integers without nulls.
  public static func longs(_ values: some Collection<Int64>) -> Column {
    var target = MutableBuffer(byteCount: values.count * 8)
    var places = target.mutableValues(as: Int64.self)
    for (i, value) in values.enumerated() { places[i] = value }
    return Column(type: .int64, count: values.count, validity: nil, values: .fixed(target.freeze()))
  }
}
