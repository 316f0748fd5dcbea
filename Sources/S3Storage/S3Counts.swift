// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Requests that were sent, by what they asked for, each attempt counted, and the bytes in their
/// bodies: what a store bills.
public struct S3Counts: Hashable, Sendable {
  public var gets = 0
  public var heads = 0
  public var puts = 0
  public var deletes = 0
  /// Of objects, and of uploads.
  public var lists = 0
  /// Starts, ends and aborts of uploads in parts.
  public var uploads = 0
  public var parts = 0
  /// Those of all requests that were sent since an earlier one had failed.
  public var retries = 0
  /// Those that asked for what another request was already asking for.
  public var hedges = 0
  public var bytesReceived: Int64 = 0
  public var bytesSent: Int64 = 0

  public init() {}

  /// All requests.
  public var requests: Int { gets + heads + puts + deletes + lists + uploads + parts }

  /// What was counted since `earlier`.
  public func since(_ earlier: S3Counts) -> S3Counts {
    var change = self
    change.gets -= earlier.gets
    change.heads -= earlier.heads
    change.puts -= earlier.puts
    change.deletes -= earlier.deletes
    change.lists -= earlier.lists
    change.uploads -= earlier.uploads
    change.parts -= earlier.parts
    change.retries -= earlier.retries
    change.hedges -= earlier.hedges
    change.bytesReceived -= earlier.bytesReceived
    change.bytesSent -= earlier.bytesSent
    return change
  }

  mutating func count(_ verb: S3Call.Verb, sent: Int) {
    switch verb {
    case .get: gets += 1
    case .head: heads += 1
    case .put: puts += 1
    case .delete, .deleteMany: deletes += 1
    case .list, .listUploads: lists += 1
    case .createUpload, .completeUpload, .abortUpload: uploads += 1
    case .uploadPart: parts += 1
    }
    bytesSent += Int64(sent)
  }
}
