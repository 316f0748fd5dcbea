// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Standard input, of which what came is handed on though more may come: a reader of it is never
/// kept waiting for longer than a moment.
struct PipeSource: ByteSource {
  let name = "standard input"
  private let environment = Environment.system
  /// When the first byte came that the reader was not told to take.
  private var firstByte: Duration?

  /// How long one waits for bytes, in milliseconds.
  private static let patience: Int32 = 100
  /// How long bytes are gathered before the reader shall take them.
  private static let gathering = Duration.milliseconds(250)

  mutating func read() async throws(InputError) -> Buffer? {
    if Interruption.exitCode != nil { throw .interrupted(file: name) }
    let now = environment.uptime()
    if let firstByte, now - firstByte > Self.gathering { return pause() }
    var poller = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&poller, 1, Self.patience) > 0 else { return pause() }
    if firstByte == nil { firstByte = environment.uptime() }
    return try StandardInput.chunk(of: name)
  }

  private mutating func pause() -> Buffer {
    firstByte = nil
    return .empty
  }
}

/// A source from which some bytes were taken already, and are given again.
struct HeadedSource: ByteSource {
  private var head: Buffer?
  private var rest: any ByteSource

  init(_ head: Buffer, then rest: any ByteSource) {
    self.head = head
    self.rest = rest
  }

  var name: String { rest.name }

  mutating func read() async throws(InputError) -> Buffer? {
    if let chunk = exchange(&head, with: nil), !chunk.isEmpty { return chunk }
    return try await rest.read()
  }
}

/// Bytes that are all there.
struct SampleSource: ByteSource {
  let name: String
  private var bytes: Buffer?

  init(_ bytes: Buffer, called name: String = "standard input") {
    self.name = name
    self.bytes = bytes
  }

  mutating func read() async throws(InputError) -> Buffer? {
    guard let chunk = exchange(&bytes, with: nil), !chunk.isEmpty else { return nil }
    return chunk
  }
}

extension ByteSource {
  /// The first bytes: some megabytes, or all, or what comes within some seconds after the first.
  mutating func takeSample(_ environment: Environment) async throws(InputError) -> Buffer {
    var sample = MutableBuffer()
    var first: Duration?
    while sample.count < 8 << 20 {
      if let first, environment.uptime() - first > .seconds(5) { break }
      guard let chunk = try await read() else { break }
      if first == nil, !chunk.isEmpty { first = environment.uptime() }
      sample.append(chunk.bytes)
    }
    return sample.freeze()
  }
}
