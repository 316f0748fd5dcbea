// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// A server on the loopback interface that speaks the protocol of S3.
///
/// It is started for the process that asks first and stopped when that ends, however it ends.
public struct S3Server: Sendable {
  public enum Engine: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Checks signatures and keeps conditions.
    case seaweedfs
    /// Starts faster; takes any keys.
    case moto

    public var description: String { rawValue }
  }

  public let engine: Engine
  public let endpoint: String
  public let bucket: String
  public let accessKeyID: String
  public let secretAccessKey: String
  /// Where its Iceberg REST catalog answers, whose warehouse is ``tableBucket``; nil if it has none.
  public let catalogURI: String?
  public static let tableBucket = "s3://lake-tables"

  /// The properties that catalogs and engines have for it.
  public var properties: [String: String] {
    [
      "s3.endpoint": endpoint, "s3.access-key-id": accessKeyID,
      "s3.secret-access-key": secretAccessKey, "s3.region": "us-east-1",
      "s3.path-style-access": "true",
    ]
  }

  /// The same for programs that look at their environment.
  public var variables: [String: String] {
    [
      "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": accessKeyID,
      "AWS_SECRET_ACCESS_KEY": secretAccessKey, "AWS_REGION": "us-east-1",
    ]
  }

  /// The server of `engine`; nil if it is not installed, which is printed and, where nothing may be
  /// missing, an error.
  public static func running(_ engine: Engine) async throws -> S3Server? {
    try await withCheckedThrowingContinuation { (answer: CheckedContinuation<_, any Error>) in
      // It takes seconds, in which no thread of the pool may wait.
      Thread.detachNewThread {
        answer.resume(
          with: servers.withLock { known in
            if let server = known[engine] { return server }
            let server = Result { try start(engine) }
            known[engine] = server
            return server
          })
      }
    }
  }

  private static let servers = Mutex<[Engine: Result<S3Server?, any Error>]>([:])

  private static func start(_ engine: Engine) throws -> S3Server? {
    guard let tool = SiblingFolder.shared("oracles/s3"), Oracles.python(of: "s3") != nil else {
      print("skipped: the S3 server \(engine) is not installed")
      if SiblingFolder.isContinuousIntegration {
        throw Oracles.Failure(text: "the S3 server \(engine) is not installed")
      }
      return nil
    }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-s3-\(ProcessInfo.processInfo.processIdentifier)-\(engine)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = tool
    process.arguments = ["start", "--engine", engine.rawValue]
    process.environment = ProcessInfo.processInfo.environment
      .merging(["LAKE_RUN": folder.path]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try watch(tool, folder)
    try process.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, let server = S3Server(engine, printed: text) else {
      throw Oracles.Failure(text: "\(engine) did not start: \(text)")
    }
    return server
  }

  private init?(_ engine: Engine, printed text: String) {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("export ") {
      let parts = line.dropFirst(7).split(separator: "=", maxSplits: 1)
      if parts.count == 2 { values[String(parts[0])] = parts[1].filter { $0 != "'" } }
    }
    guard let endpoint = values["LAKE_S3_ENDPOINT"], let bucket = values["LAKE_S3_BUCKET"],
      let key = values["AWS_ACCESS_KEY_ID"], let secret = values["AWS_SECRET_ACCESS_KEY"]
    else { return nil }
    self.engine = engine
    self.endpoint = endpoint
    self.bucket = bucket
    accessKeyID = key
    secretAccessKey = secret
    catalogURI = values["LAKE_S3_REST_URI"]
  }

  /// Stops the server of `folder` once this process is gone, be it killed.
  private static func watch(_ tool: URL, _ folder: URL) throws {
    let watcher = Process()
    watcher.executableURL = URL(filePath: "/bin/sh")
    watcher.arguments = [
      "-c", #"while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" stop; rm -rf "$3""#, "sh",
      "\(ProcessInfo.processInfo.processIdentifier)", tool.path, folder.path,
    ]
    watcher.environment = ProcessInfo.processInfo.environment
      .merging(["LAKE_RUN": folder.path]) { $1 }
    watcher.standardInput = FileHandle.nullDevice
    watcher.standardOutput = FileHandle.nullDevice
    watcher.standardError = FileHandle.nullDevice
    try watcher.run()
  }
}
