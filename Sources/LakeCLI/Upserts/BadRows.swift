// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

/// What becomes of rows that are refused, as `--on-error` says it.
final class BadRows {
  enum Policy: Hashable {
    case fail
    case skip
    case quarantine(String)
  }

  let policy: Policy
  private let isQuiet: Bool
  private let file: QuarantineFile?
  private var isEmptyFile = false
  private var pending = MutableBuffer()
  /// How many rows were refused.
  private(set) var count = 0

  /// How many of them are told one by one.
  private static let toldCount = 10

  init(_ policy: Policy, isQuiet: Bool) throws {
    self.policy = policy
    self.isQuiet = isQuiet
    file = if case .quarantine(let path) = policy { try QuarantineFile(path) } else { nil }
  }

  /// Takes the file that rows are put aside in for `writer`, before its sources are read.
  func claim(for writer: UpsertWriter, _ environment: Environment) async throws {
    guard let file else { return }
    let cut = try await file.claim(
      for: await writer.quarantineOwner, committed: await writer.epoch, environment)
    isEmptyFile = file.isEmpty
    guard cut > 0, !isQuiet else { return }
    StandardError.write(
      "lake: upsert: \(file.path): \(cut) bytes were cut off: rows put aside by a run that was ended "
        + "before it committed what goes with them; they come again\n")
  }

  /// Takes a row that is refused.
  ///
  /// - Parameter header: the names that a CSV file has in its first line.
  func take(_ error: InputError, _ text: Buffer, header: [String]?) {
    count += 1
    if !isQuiet, count <= Self.toldCount {
      let what = policy == .skip ? "skipped" : "put aside"
      StandardError.write("lake: upsert: \(error) (\(what))\n")
    }
    guard file != nil else { return }
    if isEmptyFile, let header {
      let fields = header.map { ColumnField($0, .string) }
      pending.append(Buffer(utf8: RowRenderer.csvHeader(fields)).bytes)
    }
    isEmptyFile = false
    pending.append(text.bytes)
    pending.append(value: UInt8(ascii: "\n"))
  }

  /// Makes what was taken durable; before the offsets behind it are committed by `writer`.
  func flush(before writer: UpsertWriter) async throws {
    guard let file, !pending.isEmpty else { return }
    let rows = exchange(&pending, with: MutableBuffer()).freeze()
    try file.append(rows, epoch: await writer.epoch + 1)
  }

  /// Ends it, when `writer` has committed all that it will.
  func end(_ writer: UpsertWriter) async throws { try file?.end(committed: await writer.epoch) }

  /// Says how many there were.
  func tell() {
    guard count > Self.toldCount, !isQuiet else { return }
    StandardError.write("lake: upsert: \(count) rows were refused in all\n")
  }
}

extension UpsertWriter {
  /// What its rows in a file of bad rows are known by; nil if it keeps no offsets.
  fileprivate var quarantineOwner: QuarantineNote.Owner? {
    guard let name = options.writer else { return nil }
    return QuarantineNote.Owner(table: tableUUID, writer: name)
  }
}
