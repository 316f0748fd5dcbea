// SPDX-License-Identifier: Apache-2.0

extension Field {
  /// What rows hold that were written before the field was added, structures filled in from the
  /// defaults of their fields; nil for null.
  ///
  /// Source: Iceberg spec, "Default values".
  public var effectiveInitialDefault: Value? {
    effective(initialDefault, \.effectiveInitialDefault)
  }

  /// What a writer puts where no value is given, filled in likewise; nil for null, which a required
  /// field can't be.
  public var effectiveWriteDefault: Value? { effective(writeDefault, \.effectiveWriteDefault) }

  private func effective(_ value: Value?, _ ofChild: (Field) -> Value?) -> Value? {
    guard case .structure(let values) = value, case .structure(let type) = type else {
      return value
    }
    return .structure(Field.filled(values, type, ofChild))
  }

  /// `values` of a structure with this field's type, those that are missing taken from the initial
  /// defaults of their fields.
  public func filledWithInitialDefaults(_ values: [FieldID: Value?]) -> [FieldID: Value?] {
    guard case .structure(let type) = type else { return values }
    return Field.filled(values, type, \.effectiveInitialDefault)
  }

  private static func filled(
    _ values: [FieldID: Value?], _ type: StructType, _ ofChild: (Field) -> Value?
  ) -> [FieldID: Value?] {
    var result = values
    for field in type.fields where result[field.id] == nil {
      result[field.id] = .some(ofChild(field))
    }
    return result
  }

  /// Checks that this field's defaults are ones a table of `version` may have.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)``.
  package func checkDefaults(_ version: FormatVersion) throws(IcebergError) {
    for (name, value) in [("initial", initialDefault), ("write", writeDefault)] {
      guard let value else { continue }
      let what = "\(name) default of '\(self.name)'"
      guard version >= .v3 else { throw .invalid(what, reason: "it needs format version 3") }
      if let type = type.primitive, type == .unknown || type.isOpaque {
        throw .invalid(what, reason: "a \(type) can only default to null")
      }
      if case .structure(let values) = value, !values.isEmpty {
        throw .invalid(what, reason: "defaults of a structure's fields are set on those")
      }
      if case .structure(let type) = type,
        let child = type.fields.first(where: { $0.isRequired && $0.initialDefault == nil })
      {
        throw .invalid(what, reason: "its field '\(child.name)' is required and has no default")
      }
      guard value.isOne(of: type) else { throw .invalid(what, reason: "it is no \(type)") }
    }
  }
}

extension Value {
  /// True if this is a value of `type`, with all that is in it.
  package func isOne(of type: FieldType) -> Bool {
    switch (self, type) {
    case (.structure(let values), .structure(let type)):
      values.allSatisfy { id, value in
        type.fields.contains { $0.id == id && Value.isOne(value, of: $0.type, $0.isRequired) }
      }
    case (.list(let values), .list(let type)):
      values.allSatisfy { Value.isOne($0, of: type.element, type.isElementRequired) }
    case (.map(let entries), .map(let type)):
      entries.allSatisfy {
        $0.key.isOne(of: type.key) && Value.isOne($0.value, of: type.value, type.isValueRequired)
      }
    case (_, .primitive(let type)): isOne(of: type)
    default: false
    }
  }

  private static func isOne(_ value: Value?, of type: FieldType, _ isRequired: Bool) -> Bool {
    value?.isOne(of: type) ?? !isRequired
  }

  private func isOne(of type: PrimitiveType) -> Bool {
    switch (self, type) {
    case (.boolean, .boolean), (.int, .int), (.int, .date), (.long, .long), (.float, .float),
      (.double, .double), (.string, .string), (.bytes, .binary):
      true
    case (.long(let time), .time): (0..<86_400_000_000).contains(time)
    case (.long, _): type.isTimestamp
    case (.decimal(let unscaled), .decimal(let precision, _)):
      unscaled.magnitude <= DecimalNumber.highest(precision: precision).magnitude
    case (.bytes(let bytes), .uuid): bytes.count == 16
    case (.bytes(let bytes), .fixed(let count)): bytes.count == count
    default: false
    }
  }
}
