// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Bytes
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// How input files are read, as every command that takes rows has it.
struct InputArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("csv, jsonl, parquet, arrow or avro (else by ending).", valueName: "format"),
    transform: Self.format)
  var inputFormat: InputFormat?
  @Option(
    help: ArgumentHelp(
      "CSV: a text that means null where it is not quoted, beside an empty field; may be repeated.",
      valueName: "text"))
  var null: [String] = []
  @Option(help: ArgumentHelp("CSV: what separates fields.", valueName: "character"))
  var delimiter = ","
  @Flag(help: "CSV: the first line is a row, not the names of columns.") var noHeader = false

  func validate() throws {
    guard delimiter.utf8.count == 1 || delimiter == "\\t" else {
      throw ValidationError("--delimiter must be one ASCII character, not '\(delimiter)'.")
    }
  }

  private static func format(_ text: String) throws -> InputFormat {
    guard let format = InputFormat(rawValue: text) else {
      let known = InputFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("Expected one of \(known), found '\(text)'.")
    }
    return format
  }

  func options(columns: [ColumnField]?) -> InputOptions {
    var options = InputOptions()
    options.format = inputFormat
    options.nullTexts = null
    options.delimiter = delimiter == "\\t" ? 9 : delimiter.utf8.first ?? UInt8(ascii: ",")
    options.header = noHeader ? .absent : .present
    options.columns = columns
    return options
  }
}

/// The rows of several files, one after the other.
final class InputSequence {
  private var files: ArraySlice<String>
  private let arguments: InputArguments
  private let columns: [ColumnField]
  private let progress: Progress
  private var reader: InputReader?

  init(
    _ files: [String], _ arguments: InputArguments, columns: [ColumnField], _ progress: Progress
  ) {
    self.files = files[...]
    self.arguments = arguments
    self.columns = columns
    self.progress = progress
  }

  /// The next batch; nil after the last of the last file.
  func next() async throws(InputError) -> RecordBatch? {
    while true {
      if let batch = try await reader?.next() {
        progress.add(rows: batch.rowCount)
        return batch
      }
      guard let file = files.popFirst() else { return nil }
      reader = try await open(file)
    }
  }

  private func open(_ file: String) async throws(InputError) -> InputReader {
    let options = arguments.options(columns: columns)
    if file == "-" {
      guard let format = arguments.inputFormat else {
        throw .unknownFormat(file: "standard input", known: ["csv", "jsonl", "arrow", "avro"])
      }
      return try await InputReader.open(StandardInput(), format: format, options: options)
    }
    let path: ObjectPath
    let store: any ObjectStore
    do {
      path = try Location.absolute(file)
      store = try await Stores.reaching(path)
    } catch let error as StorageError {
      throw .storage(error)
    } catch {
      throw .storage(.invalidPath(file, reason: "\(error)"))
    }
    return try await InputReader.open(path, in: store, options: options)
  }
}

/// Standard input, chunk by chunk.
struct StandardInput: ByteSource {
  let name = "standard input"

  mutating func read() async throws(InputError) -> Buffer? {
    try waitForBytes()
    return try Self.chunk(of: name)
  }

  /// What is there; nil at the end.
  static func chunk(of name: String) throws(InputError) -> Buffer? {
    var chunk = MutableBuffer(byteCount: 1 << 20)
    while true {
      var room = chunk.mutableBytes
      let count = unsafe room.withUnsafeMutableBytes {
        unsafe Glibc.read(0, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .malformed(file: name, line: 0, column: nil, reason: "reading failed (\(errno))")
      }
      chunk.resize(to: count)
      return count == 0 ? nil : chunk.freeze()
    }
  }

  /// Waits until there is something to read, so that a signal ends the wait.
  private func waitForBytes() throws(InputError) {
    while true {
      if Task.isCancelled {
        throw .malformed(file: name, line: 0, column: nil, reason: "interrupted")
      }
      var poller = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&poller, 1, 100) != 0 { return }
    }
  }
}
