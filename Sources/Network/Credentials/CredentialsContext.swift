public import Storage

// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What a search for credentials may look at: properties, the process's environment, files, the
/// network and the clock.
public struct CredentialsContext: Sendable {
  /// Of the catalog, store or command: `s3.access-key-id` and so on.
  public var properties: [String: String]
  /// The variable of the process's environment with this name.
  public var variable: @Sendable (String) -> String?
  /// The bytes of the file at this path; nil if there is none, or it cannot be read.
  public var readFile: @Sendable (String) -> [UInt8]?
  public var transport: any HTTPTransport
  public var environment: Environment

  public init(
    properties: [String: String], variable: @escaping @Sendable (String) -> String?,
    readFile: @escaping @Sendable (String) -> [UInt8]?, transport: any HTTPTransport,
    environment: Environment
  ) {
    self.properties = properties
    self.variable = variable
    self.readFile = readFile
    self.transport = transport
    self.environment = environment
  }

  /// This process's variables, this machine's files.
  public static func ofProcess(
    properties: [String: String], transport: any HTTPTransport, environment: Environment = .system
  ) -> CredentialsContext {
    CredentialsContext(
      properties: properties, variable: ProcessVariables.value(of:), readFile: SmallFile.read(_:),
      transport: transport, environment: environment)
  }

  /// The first property of `names` that is there and not empty.
  func property(_ names: String...) -> String? {
    names.lazy.compactMap { properties[$0] }.first { !$0.isEmpty }
  }

  /// The first variable of `names` that is set and not empty.
  func setVariable(_ names: String...) -> String? {
    names.lazy.compactMap { variable($0) }.first { !$0.isEmpty }
  }

  /// The text of a file; nil if it cannot be read, or is no UTF-8.
  func text(ofFile path: String) -> String? {
    readFile(path).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

extension CredentialsContext: CustomStringConvertible, CustomReflectable {
  /// The names of its properties; their values may be secrets.
  public var description: String {
    "properties " + properties.keys.sorted().joined(separator: ", ")
  }

  public var customMirror: Mirror { Mirror(self, children: ["properties": description]) }
}

private enum ProcessVariables {
  static func value(of name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}

/// Files of settings and tokens.
private enum SmallFile {
  private static let limit = 1 << 20

  /// Nil if there is none, it cannot be read, or it has more than a megabyte.
  static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count <= limit {
      let count = unsafe fread(&part, 1, part.count, file)
      if count == 0 { return unsafe ferror(file) == 0 ? bytes : nil }
      bytes.append(contentsOf: part[..<count])
    }
    return nil
  }
}
