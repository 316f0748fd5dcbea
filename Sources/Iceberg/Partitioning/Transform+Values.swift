// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Transform {
  /// What this transform makes of `value`, one of `type` or null.
  ///
  /// Null stays null. Nil also of `void`, of a transform that is not known, and of a value that is
  /// none of `type` or that the transform does not take. Not for hot loops: see ``BucketTransform``
  /// and its like for those.
  ///
  /// Source: Iceberg spec, "Partition Transforms".
  public func apply(to value: Value?, of type: PrimitiveType) -> Value? {
    guard let value, applies(to: type) else { return nil }
    switch self {
    case .identity: return value
    case .bucket(let count): return bucket(value, of: type, count: count)
    case .truncate(let width): return truncate(value, width: width)
    case .year: return time(value, of: type, .year)
    case .month: return time(value, of: type, .month)
    case .day: return time(value, of: type, .day)
    case .hour: return time(value, of: type, .hour)
    case .void, .unknown: return nil
    }
  }

  private func bucket(_ value: Value, of type: PrimitiveType, count: Int) -> Value? {
    guard let count = Int32(exactly: count), count > 0, let hash = value.bucketHash(as: type) else {
      return nil
    }
    return .int(BucketTransform.bucket(ofHash: hash, count: count))
  }

  private func truncate(_ value: Value, width: Int) -> Value? {
    guard let narrow = Int32(exactly: width), narrow > 0 else { return nil }
    switch value {
    case .int(let value): return .int(TruncateTransform.truncate(value, width: narrow))
    case .long(let value): return .long(TruncateTransform.truncate(value, width: Int64(width)))
    case .decimal(let value):
      return .decimal(TruncateTransform.truncate(unscaled: value, width: Int128(width)))
    case .string(let text): return .string(text.prefix(codePoints: width))
    case .bytes(let bytes): return .bytes(Array(bytes.prefix(width)))
    default: return nil
    }
  }

  private func time(
    _ value: Value, of type: PrimitiveType, _ granularity: TimeTransform.Granularity
  ) -> Value? {
    switch value {
    case .int(let days) where type == .date:
      .int(TimeTransform.apply(Int64(days), .days, granularity))
    case .long(let time) where type.isMicrosecondTimestamp:
      .int(TimeTransform.apply(time, .microseconds, granularity))
    case .long(let time) where type.isNanosecondTimestamp:
      .int(TimeTransform.apply(time, .nanoseconds, granularity))
    default: nil
    }
  }
}

extension Value {
  /// The hash that buckets are made of; nil of a structure, list or map.
  ///
  /// Source: Iceberg spec, "Appendix B: 32-bit Hash Requirements".
  package func bucketHash(as type: PrimitiveType) -> Int32? {
    switch self {
    case .int(let value): BucketTransform.hash(Int64(value))
    case .long(let value):
      type.isNanosecondTimestamp
        ? BucketTransform.hash(nanoseconds: value) : BucketTransform.hash(value)
    case .decimal(let value): BucketTransform.hash(unscaled: value)
    case .string(let text): BucketTransform.hash(Buffer(utf8: text).bytes)
    case .bytes(let bytes): BucketTransform.hash(Buffer(bytes).bytes)
    case .boolean(let value): BucketTransform.hash(value)
    case .float(let value): BucketTransform.hash(Double(value))
    case .double(let value): BucketTransform.hash(value)
    case .structure, .list, .map: nil
    }
  }
}

extension String {
  /// The first `count` code points.
  func prefix(codePoints count: Int) -> String {
    let scalars = unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: count, limitedBy: scalars.endIndex)
    else { return self }
    return String(scalars[..<end])
  }
}
