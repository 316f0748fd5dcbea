// SPDX-License-Identifier: Apache-2.0
internal import Arrow
internal import Bytes
internal import Columnar
internal import Storage

/// Streams the rows of an Arrow IPC stream, or of a file through its footer; one message is in
/// memory at a time.
final class ArrowInput {
  let fields: [ColumnField]
  private let form: Form
  private let name: String
  private let batchRowCount: Int
  /// What is left of the batch that was read.
  private var rest: RecordBatch?
  private var rowCount = 0

  private enum Form {
    case stream(Stream)
    case file(File)
  }

  private init(_ form: Form, _ fields: [ColumnField], _ name: String, _ options: InputOptions) {
    self.form = form
    // Ids in a user's file are those of another table, if of any.
    self.fields = fields.map { $0.withoutID }
    self.name = name
    batchRowCount = options.batchRowCount
  }

  /// Opens a stream; a file may come as one, as its messages stand in it in that order.
  static func open(
    _ source: any ByteSource, _ options: InputOptions
  ) async throws(InputError) -> ArrowInput {
    let stream = Stream(source)
    let fields = try await stream.begin()
    return ArrowInput(.stream(stream), fields, source.name, options)
  }

  /// Opens the object at `path`, whose first bytes tell whether it is a file or a stream.
  static func open(
    _ path: ObjectPath, in store: any ObjectStore, _ options: InputOptions
  ) async throws(InputError) -> ArrowInput {
    let start: Buffer
    do throws(StorageError) { start = try await store.get(path, range: 0..<8) } catch {
      throw .storage(error)
    }
    guard ArrowFileReader.isFile(startingWith: start.bytes) else {
      return try await open(ObjectSource(path, in: store), options)
    }
    let file = try await File(path, in: store)
    return ArrowInput(.file(file), file.reader.fields, path.text, options)
  }

  /// The next rows; a pause where all whole messages that came were read.
  func step() async throws(InputError) -> BatchStep {
    while rest == nil {
      let step: BatchStep
      do throws(ArrowFailure) {
        step =
          switch form {
          case .stream(let stream): try await stream.step()
          case .file(let file): try await file.next().map { .rows($0) } ?? .end
          }
      } catch {
        throw error.inputError(name, row: rowCount + 1)
      }
      guard case .rows(let batch) = step else { return step }
      if batch.rowCount > 0 { rest = batch }
    }
    guard let batch = rest else { return .end }
    let count = min(batch.rowCount, batchRowCount)
    rest = count < batch.rowCount ? batch.slice(count..<batch.rowCount) : nil
    rowCount += count
    let part = batch.slice(0..<count)
    return .rows(RecordBatch(fields: fields, columns: part.columns, rowCount: count))
  }
}

/// What can go wrong while messages are read.
private enum ArrowFailure: Error {
  case arrow(ArrowError)
  case input(InputError)

  func inputError(_ file: String, row: Int) -> InputError {
    switch self {
    case .arrow(let error): .arrow(error, file: file, row: row)
    case .input(let error): error
    }
  }
}

/// Messages that come one after the other.
private final class Stream {
  private var source: InflatingSource
  private var reader = ArrowStreamReader()
  private var isDone = false

  init(_ source: any ByteSource) { self.source = InflatingSource(source) }

  /// The columns, for which the schema is read.
  func begin() async throws(InputError) -> [ColumnField] {
    do throws(ArrowFailure) {
      try await skipMagic()
      while reader.fields == nil {
        do throws(ArrowError) { first = try reader.next() } catch { throw .arrow(error) }
        if reader.fields == nil, try await feed() == .end { break }
      }
    } catch {
      throw error.inputError(source.name, row: 1)
    }
    guard let fields = reader.fields else { throw .noRows(file: source.name) }
    return fields
  }

  private var first: RecordBatch?

  func step() async throws(ArrowFailure) -> BatchStep {
    if let batch = exchange(&first, with: nil) { return .rows(batch) }
    while true {
      do throws(ArrowError) {
        if let batch = try reader.next() { return .rows(batch) }
      } catch {
        throw .arrow(error)
      }
      if reader.isAtEnd { return .end }
      switch try await feed() {
      case .some: continue
      case .nothingYet: return .pause
      case .end: return .end
      }
    }
  }

  /// Passes over what a file has before its first message.
  private func skipMagic() async throws(ArrowFailure) {
    var start = Buffer.empty
    while start.count < 8 {
      guard let chunk = try await read() else { break }
      var joined = MutableBuffer(capacity: start.count + chunk.count)
      joined.append(start.bytes)
      joined.append(chunk.bytes)
      start = joined.freeze()
    }
    let isFile = start.count >= 8 && ArrowFileReader.isFile(startingWith: start.bytes)
    reader.feed(isFile ? start.slice(8..<start.count) : start)
  }

  private func read() async throws(ArrowFailure) -> Buffer? {
    do throws(InputError) { return try await source.read() } catch { throw .input(error) }
  }

  /// What came of the source.
  private enum Fed {
    case some, nothingYet, end
  }

  /// Takes what the source has next. At its end the stream must be able to end.
  private func feed() async throws(ArrowFailure) -> Fed {
    guard let chunk = try await read() else {
      do throws(ArrowError) { try reader.finish() } catch { throw .arrow(error) }
      return .end
    }
    reader.feed(chunk)
    return chunk.isEmpty ? .nothingYet : .some
  }
}

/// Messages that a footer tells of.
private final class File {
  private(set) var reader: ArrowFileReader
  private let path: ObjectPath
  private let store: any ObjectStore
  private var nextBlock = 0

  /// How much of the end is read at first: most footers fit.
  private static let tailByteCount: Int64 = 64 << 10

  init(_ path: ObjectPath, in store: any ObjectStore) async throws(InputError) {
    self.path = path
    self.store = store
    let length: Int64
    var tail: Buffer
    do throws(StorageError) {
      length = try await store.head(path).byteCount
      tail = try await store.get(path, range: max(0, length - Self.tailByteCount)..<length)
    } catch {
      throw .storage(error)
    }
    let needed: Int
    do throws(ArrowError) {
      needed = try ArrowFileReader.tailByteCount(tail, fileByteCount: length)
    } catch {
      throw .arrow(error, file: path.text, row: 1)
    }
    if needed > tail.count {
      do throws(StorageError) {
        tail = try await store.get(path, range: length - Int64(needed)..<length)
      } catch {
        throw .storage(error)
      }
    }
    do throws(ArrowError) {
      reader = try ArrowFileReader(tail: tail, fileByteCount: length)
    } catch {
      throw .arrow(error, file: path.text, row: 1)
    }
  }

  func next() async throws(ArrowFailure) -> RecordBatch? {
    while nextBlock < reader.blocks.count {
      let block = reader.blocks[nextBlock]
      nextBlock += 1
      let bytes: Buffer
      do throws(StorageError) { bytes = try await store.get(path, range: block.range) } catch {
        throw .input(.storage(error))
      }
      do throws(ArrowError) {
        if let batch = try reader.decode(bytes, block) { return batch }
      } catch {
        throw .arrow(error)
      }
    }
    return nil
  }
}
