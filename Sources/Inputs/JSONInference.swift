// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// The narrowest type that all JSON values of a column seen so far are values of.
///
/// Numbers are long, then double; strings are dates and timestamps where all of them are; an object
/// is a structure of all keys seen; an array a list; values of different kinds become text.
struct JSONInference {
  private var scalar: TypeInference?
  private var kinds: Set<JSONKind> = []
  private var element: [JSONInference] = []
  /// The keys seen, and what their values are.
  private(set) var names: [String] = []
  private var values: [JSONInference] = []

  mutating func observe(_ reader: inout JSONReader) throws(JSONError) {
    let kind = try reader.peek()
    if kind == .null { return try reader.readNull() }
    kinds.insert(kind)
    switch kind {
    case .object: try observeObject(&reader)
    case .array:
      try reader.beginArray()
      if element.isEmpty { element.append(JSONInference()) }
      while try reader.nextElement() { try element[0].observe(&reader) }
    case .string:
      let text = Buffer(utf8: try reader.readString())
      var inference = scalar ?? TypeInference()
      inference.observe(string: text.bytes)
      scalar = inference
    default:
      let text = try reader.readRawBytes()
      var inference = scalar ?? TypeInference()
      inference.observe(text)
      scalar = inference
    }
  }

  mutating func observeObject(_ reader: inout JSONReader) throws(JSONError) {
    kinds.insert(.object)
    try reader.beginObject()
    var guess = 0
    while let key = try reader.nextKey() {
      var index = guess
      if !(index < names.count && key == names[index]) {
        let name = key.string
        index = names.firstIndex(of: name) ?? names.count
        if index == names.count {
          names.append(name)
          values.append(JSONInference())
        }
      }
      try values[index].observe(&reader)
      guess = index + 1
    }
  }

  /// The type; text where nothing but nulls was seen.
  var type: ColumnType {
    if kinds == [.object] {
      return names.isEmpty ? .string : .structure(columns)
    }
    if kinds == [.array] { return .list(ColumnField("element", element[0].type)) }
    if kinds.contains(.object) || kinds.contains(.array) { return .string }
    // Numbers in some rows and texts in others are text, whatever the texts look like.
    if kinds.count > 1 { return .string }
    return scalar?.type ?? .string
  }

  /// The fields of the objects seen, as columns.
  var columns: [ColumnField] { zip(names, values).map { ColumnField($0, $1.type) } }
}

extension TypeInference {
  /// Observes a JSON string, which is no number or boolean even if it looks like one.
  mutating func observe(string text: RawSpan) {
    if TextMoments.timestamp(text, nanoseconds: false) == nil, TextMoments.time(text) == nil {
      self = .text
    } else {
      observe(text)
    }
  }
}
