// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Programs that some tests need.
enum ExternalTool {
  /// What a program said on its standard output, and how it ended; nil if there is no such program.
  static func run(_ name: String, _ arguments: [String]) -> (status: Int32, output: String)? {
    guard let program = path(of: name) else { return nil }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  static func path(of name: String) -> URL? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { URL(filePath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Prints that `test` is skipped, which is a failure where `LAKE_CI=1`.
  static func skip(_ test: String, missing what: String) {
    print("skipped: \(test): \(what) is not installed")
    #expect(ProcessInfo.processInfo.environment["LAKE_CI"] != "1", "\(what) is missing")
  }
}

/// Does what blocks on a thread of its own: those of the pool are few, and others wait for them.
func offPool<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result { try work() }) }.start()
  }
}
