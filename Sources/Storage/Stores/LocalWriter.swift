// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Synchronization

/// Streams an object to a temporary file, in writes of at least 256 KiB.
final class LocalWriter: ObjectWriter {
  private struct State: ~Copyable {
    var pending = MutableBuffer()
    var failure: StorageError?
    var isEnded = false
  }

  private static let chunkByteCount = 256 << 10

  private let file: TemporaryFile
  private let condition: PutCondition
  private let state = Mutex(State())

  init(_ file: TemporaryFile, _ condition: PutCondition) {
    self.file = file
    self.condition = condition
  }

  func append(_ bytes: Buffer) async throws(StorageError) {
    let chunks = try state.withLock { state throws(StorageError) in
      try Self.add(bytes, to: &state)
    }
    guard !chunks.isEmpty else { return }
    try await run { file throws(StorageError) in
      for chunk in chunks { try file.write(chunk) }
    }
  }

  /// Takes `bytes` in; what is now to be written, if that is enough.
  private static func add(
    _ bytes: Buffer, to state: inout State
  ) throws(StorageError) -> [Buffer] {
    if let failure = state.failure { throw failure }
    precondition(!state.isEnded, "a writer is used after its end")
    if bytes.count < chunkByteCount {
      if state.pending.isEmpty { state.pending.reserve(chunkByteCount) }
      state.pending.append(bytes.bytes)
      return state.pending.count < chunkByteCount ? [] : [takePending(&state)]
    }
    return state.pending.isEmpty ? [bytes] : [takePending(&state), bytes]
  }

  private static func takePending(_ state: inout State) -> Buffer {
    var taken = MutableBuffer()
    swap(&taken, &state.pending)
    return taken.freeze()
  }

  func finish() async throws(StorageError) -> ObjectInfo {
    let rest = try state.withLock { state throws(StorageError) in
      if let failure = state.failure { throw failure }
      precondition(!state.isEnded, "a writer is finished twice")
      state.isEnded = true
      return Self.takePending(&state)
    }
    let condition = self.condition
    return try await run { file throws(StorageError) in
      if !rest.isEmpty { try file.write(rest) }
      return try file.publish(if: condition)
    }
  }

  func abort() async {
    state.withLock { state in
      state.isEnded = true
      _ = Self.takePending(&state)
    }
    let file = self.file
    _ = try? await BlockingThreads.shared.run { () throws(StorageError) in file.discard() }
  }

  /// Runs `work`; if it fails, nothing is left of the file and every later call fails alike.
  private func run<T: Sendable>(
    _ work: @escaping @Sendable (TemporaryFile) throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let file = self.file
    do throws(StorageError) {
      return try await BlockingThreads.shared.run { () throws(StorageError) in
        do throws(StorageError) {
          return try work(file)
        } catch {
          file.discard()
          throw error
        }
      }
    } catch {
      state.withLock { $0.failure = error }
      throw error
    }
  }
}
