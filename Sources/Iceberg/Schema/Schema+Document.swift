// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

extension Schema {
  /// The schema as a JSON document, as data files carry it.
  public var jsonText: String {
    var writer = JSONWriter()
    write(to: &writer)
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }
}
