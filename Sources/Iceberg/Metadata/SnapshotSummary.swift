// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Where a snapshot's summary comes from: a new one's values, or the JSON of one that was read.
enum SummarySource: Sendable {
  case values([String: String])
  /// An object whose values are strings, checked when the snapshot was read.
  case encoded(Buffer)
}
