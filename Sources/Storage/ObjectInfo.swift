// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Which of the objects that one path had over time. Equal tokens mean the same bytes.
///
/// An ETag in S3, a counter in memory; a local file's modification time, size and inode, which is
/// as good as the file system's clock: ``LocalStore`` says how good that is.
public struct ObjectVersion: Hashable, Sendable, CustomStringConvertible {
  public let token: String

  public init(token: String) { self.token = token }

  public var description: String { token }
}

/// What a store knows of an object without reading it.
public struct ObjectInfo: Hashable, Sendable {
  public let path: ObjectPath
  public let byteCount: Int64
  /// By the store's own clock.
  public let modified: Timestamp
  public let version: ObjectVersion

  public init(path: ObjectPath, byteCount: Int64, modified: Timestamp, version: ObjectVersion) {
    self.path = path
    self.byteCount = byteCount
    self.modified = modified
    self.version = version
  }
}

/// Bytes of an object, and which of its versions they are of.
public struct VersionedBytes: Hashable, Sendable {
  public let bytes: Buffer
  public let version: ObjectVersion

  public init(bytes: Buffer, version: ObjectVersion) {
    self.bytes = bytes
    self.version = version
  }
}

/// What must hold at a path for a write to happen there.
public enum PutCondition: Hashable, Sendable {
  /// Nothing: what is there is replaced.
  case none
  /// No object is there.
  case absent
  /// No object is there, and whoever makes one has committed by that: two who both did would each
  /// lose what the other wrote. A store of which it is not known whether it keeps conditions makes
  /// sure of it before, and throws ``StorageError/unsupported(what:path:instead:)`` if it does not.
  case unclaimed
  /// The object there is this one.
  case matches(ObjectVersion)
}

extension PutCondition {
  /// True where there must be no object, whatever hangs on it.
  public var isOnAbsence: Bool { self == .absent || self == .unclaimed }
}
