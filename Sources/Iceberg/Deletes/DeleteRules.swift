// SPDX-License-Identifier: Apache-2.0

/// How a file deletes rows.
public enum DeleteKind: Hashable, Sendable {
  /// Positions of rows in data files, as rows of a file.
  case positions
  /// Positions of rows in one data file, as a bitmap.
  case vector
  /// Values that deleted rows have.
  case equality

  /// Of a delete file; nil of a data file.
  public init?(_ file: DataFile) {
    switch file.content {
    case .data: return nil
    case .equalityDeletes: self = .equality
    case .positionDeletes: self = file.isDeletionVector ? .vector : .positions
    }
  }

  /// True if a commit to a table of `version` may add files of this kind; those that are there are
  /// read in any.
  ///
  /// Source: Iceberg spec, "Delete Formats".
  public func mayBeAdded(in version: FormatVersion) -> Bool {
    switch (self, version) {
    case (_, .v1), (.vector, .v2), (.positions, .v3): false
    default: true
    }
  }
}

extension ManifestEntry {
  /// True if this entry's delete file deletes rows of the data file of `data`, or may: for a
  /// position delete file of several data files only its rows tell.
  ///
  /// A position delete file that applies counts for nothing beside a deletion vector that does.
  ///
  /// - Parameter isGlobal: the delete file's partition spec is unpartitioned; an equality delete
  ///   applies to all partitions then.
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if this is a deletion vector of that data file
  ///   and says it is in another partition: one of the two lies.
  ///
  /// Source: Iceberg spec, "Scan Planning".
  public func mayDeleteRows(of data: ManifestEntry, isGlobal: Bool) throws(IcebergError) -> Bool {
    guard let kind = DeleteKind(file) else { return false }
    let isSamePartition = file.partition == data.file.partition
    switch kind {
    case .equality:
      return data.sequenceNumber < sequenceNumber && (isGlobal || isSamePartition)
    case .positions:
      let isMeant = file.onlyReferencedPath.map { $0.isSamePath(as: data.file.path) } ?? true
      return data.sequenceNumber <= sequenceNumber && isSamePartition && isMeant
    case .vector:
      guard let path = file.referencedDataFile, path.isSamePath(as: data.file.path),
        data.sequenceNumber <= sequenceNumber
      else { return false }
      guard isSamePartition else {
        throw .invalid(
          "the deletion vector of '\(path)'", reason: "it says the file is in another partition")
      }
      return true
    }
  }
}

extension Schema {
  /// Checks that rows can be deleted by the values of the fields `ids`.
  ///
  /// Null equals null in an equality delete, so they may be optional, unlike a key's fields.
  ///
  /// - Throws: ``IcebergError`` if one is not there, lies in a list or map, or is of a type whose
  ///   values are not equal beyond doubt.
  ///
  /// Source: Iceberg spec, "Equality Delete Files".
  public func checkEqualityFields(_ ids: [FieldID]) throws(IcebergError) {
    guard !ids.isEmpty else {
      throw .invalid("an equality delete without columns", reason: "it would delete every row")
    }
    for id in ids {
      guard let field = field(id), let name = name(of: id) else {
        throw .unknownField("\(id.rawValue)", in: "the schema, as a column of an equality delete")
      }
      let what = "an equality delete by '\(name)'"
      guard let type = field.type.primitive, !type.isFloatingPoint, !type.isOpaque,
        type != .unknown
      else { throw .invalid(what, reason: "a \(field.type) can't tell rows apart") }
      if isRepeated(id) { throw .invalid(what, reason: "it lies in a list or map") }
    }
  }
}

extension String {
  /// True if both are the same bytes: paths are never normalized.
  func isSamePath(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension FieldID {
  /// The column `file_path` of position delete files.
  public static let deleteFilePath = FieldID(2_147_483_546)
  /// The column `pos` of position delete files.
  public static let deletePosition = FieldID(2_147_483_545)
}

extension DataFile {
  /// The one data file that this position delete file or deletion vector is about: as it says, or
  /// as the bounds of its paths tell, if they are equal; nil if there may be several.
  ///
  /// Source: Iceberg spec, "Delete Formats".
  public var onlyReferencedPath: String? {
    guard content == .positionDeletes else { return nil }
    if let referencedDataFile { return referencedDataFile }
    guard let metrics = metrics[.deleteFilePath], let lower = metrics.lowerBound,
      lower == metrics.upperBound, case .string(let path) = Value(bound: lower, as: .string)
    else { return nil }
    return path
  }

  /// False only if it is known that no row of this data file has the values of a row of the equality
  /// delete file `deletes`: their bounds do not meet in one of its columns.
  ///
  /// - Parameter schema: with the columns as they are now; those that are gone are passed over.
  public func mayShareKeys(with deletes: DataFile, schema: Schema) -> Bool {
    for id in deletes.equalityIDs ?? [] {
      guard let type = schema.field(id)?.type.primitive, let own = facts(of: id, type),
        let others = deletes.facts(of: id, type)
      else { continue }
      if own.mayHaveNulls && others.mayHaveNulls { continue }
      guard own.mayHaveValues && others.mayHaveValues else { return false }
      if own.mayHaveNaNs && others.mayHaveNaNs { continue }
      if let low = own.lower, let high = others.upper, (Value.predicateOrder(low, high) ?? 0) > 0 {
        return false
      }
      if let high = own.upper, let low = others.lower, (Value.predicateOrder(high, low) ?? 0) < 0 {
        return false
      }
    }
    return true
  }

  private func facts(of id: FieldID, _ type: PrimitiveType) -> ColumnFacts? {
    guard let metrics = metrics[id] else { return nil }
    return ColumnFacts(
      valueCount: metrics.valueCount, nullCount: metrics.nullCount, nanCount: metrics.nanCount,
      lower: Value(bound: metrics.lowerBound, as: type),
      upper: Value(bound: metrics.upperBound, as: type), type: type)
  }
}
