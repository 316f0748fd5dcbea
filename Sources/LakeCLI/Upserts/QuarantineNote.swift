// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

/// What lies beside a file of rows put aside, while it is not known of the last ones whether what
/// goes with them is committed.
///
///     <CRC-32C of the rest> <table's uuid> <epoch> <file's number> <start> <end> <writer>\n
///
/// A note that is torn was about to be written, and rows it would have been about were not yet.
struct QuarantineNote: Equatable {
  /// Which stream puts rows aside: a writer of a table.
  struct Owner: Equatable {
    /// The table's uuid.
    var table: String
    var writer: String
  }

  var owner: Owner
  /// The writer's commit that the rows go with: they are committed from this epoch on.
  var epoch: Int64
  /// The number by which the file system knows the file that has the rows.
  var file: UInt64
  /// Where the rows begin in it, and where they end.
  var start: Int64
  var end: Int64

  init(_ owner: Owner, epoch: Int64, file: UInt64, start: Int64, end: Int64) {
    self.owner = owner
    self.epoch = epoch
    self.file = file
    self.start = start
    self.end = end
  }

  /// - Returns: nil if `text` is no whole note.
  init?(parsing text: String) {
    let parts = text.split(
      separator: " ", maxSplits: 6, omittingEmptySubsequences: false
    ).map(String.init)
    guard parts.count == 7, parts[6].last == "\n", let epoch = Int64(parts[2]),
      let file = UInt64(parts[3]), let start = Int64(parts[4]), let end = Int64(parts[5]),
      start >= 0, end >= start
    else { return nil }
    let owner = Owner(table: parts[1], writer: String(parts[6].dropLast()))
    self.init(owner, epoch: epoch, file: file, start: start, end: end)
    guard self.text == text else { return nil }
  }

  var text: String {
    let rest = " \(owner.table) \(epoch) \(file) \(start) \(end) \(owner.writer)\n"
    let sum = CRC32C.checksum(Buffer(utf8: rest).bytes)
    return String(sum, radix: 16) + rest
  }
}
