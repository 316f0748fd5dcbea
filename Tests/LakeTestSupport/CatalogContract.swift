// SPDX-License-Identifier: Apache-2.0
import Lake

/// The laws of ``Catalog``, each to be run against any catalog.
///
///     @Test(arguments: CatalogContract.laws)
///     func `keeps the law`(law: CatalogContract.Law) async throws {
///       try await law.check(CatalogSubject(mine, beside: another, store: store, [.renames]))
///     }
///
/// Every law works in a namespace of its own, and expects nothing of what else is in the catalog.
public enum CatalogContract {
  /// One law, and how to see whether a catalog keeps it.
  public struct Law: Sendable, CustomStringConvertible {
    public let name: String
    let needs: CatalogSubject.Traits
    let body: @Sendable (CatalogSubject) async throws -> Void

    init(
      _ name: String, needs: CatalogSubject.Traits = [],
      _ body: @escaping @Sendable (CatalogSubject) async throws -> Void
    ) {
      self.name = name
      self.needs = needs
      self.body = body
    }

    public var description: String { name }

    /// Does nothing where the catalog does not claim to have what the law is about.
    ///
    /// - Throws: ``Violation``, or what the catalog threw where it must not throw.
    public func check(_ subject: CatalogSubject) async throws {
      guard subject.traits.isSuperset(of: needs) else { return }
      let random = SeededRandom(printing: "catalog contract, \(name)")
      var subject = subject
      subject.root = "law_\(random.seed % 1_000_000_000)_\(random.next() % 1_000_000)"
      try await subject.catalog.createNamespace([subject.root], properties: [:])
      try await body(subject)
    }
  }

  /// A law that was broken.
  public struct Violation: Error, CustomStringConvertible {
    public let description: String
  }

  /// All laws.
  public static let laws: [Law] = tableLaws + namespaceLaws + commitLaws
}

/// A catalog under test.
public struct CatalogSubject: Sendable {
  /// What only some catalogs can.
  public struct Traits: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let renames = Traits(rawValue: 1)
    /// Takes any table in that its policy allows, not only one of its own place.
    public static let registersAnything = Traits(rawValue: 2)
    /// Puts a table where it is told to.
    public static let takesLocations = Traits(rawValue: 4)
    /// A table can be made in a namespace that was not made before.
    public static let impliesNamespaces = Traits(rawValue: 8)
    /// Namespaces lie in namespaces.
    public static let nests = Traits(rawValue: 16)
    /// Names may have any character in them that ``TableIdentifier`` allows.
    public static let anyNames = Traits(rawValue: 32)
    /// Purges files itself, before the call returns.
    public static let purges = Traits(rawValue: 64)

    public static let all: Traits = [
      .renames, .registersAnything, .takesLocations, .impliesNamespaces, .nests, .anyNames, .purges,
    ]
  }

  public let catalog: any Catalog
  /// The same catalog as another process has it.
  public let other: any Catalog
  /// Where its tables are, unrestricted.
  public let store: any ObjectStore
  public let traits: Traits
  /// The namespace this law has for itself.
  var root = ""

  public init(
    _ catalog: any Catalog, beside other: any Catalog, store: any ObjectStore, _ traits: Traits
  ) {
    self.catalog = catalog
    self.other = other
    self.store = store
    self.traits = traits
  }

  func identifier(_ name: String) throws -> TableIdentifier {
    try TableIdentifier(namespace: [root], name: name)
  }

  /// Makes the table `name` in the law's namespace.
  func create(
    _ name: String, _ schema: String = "k int, v string", at location: ObjectPath? = nil
  ) async throws -> Table {
    try await catalog.createTable(
      identifier(name), TableDefinition(schema: Schema(schema), location: location))
  }

  func load(_ name: String) async throws -> Table {
    try await other.loadTable(identifier(name))
  }

  @discardableResult
  func append(_ text: String, to table: Table) async throws -> Table {
    let batch = Rows.batch([[.int(0), .string(text)]], table.metadata.currentSchema)
    return try await table.append([batch])?.table ?? table
  }

  /// The texts of all rows of the table, sorted, as another process reads them.
  func texts(_ name: String) async throws -> [String] {
    try await load(name).scan().readAll()
      .flatMap { batch in (0..<batch.rowCount).map { batch.columns[1].string($0) } }.sorted()
  }

  /// What is stored in the table's folder.
  func files(of table: Table) async throws -> [String] {
    let folder = try ObjectPath(table.metadata.location)
    return try await store.listAll(folder).map { folder.relativePath(of: $0.path) ?? "" }
  }

  func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw CatalogContract.Violation(description: what()) }
  }

  func expect<T: Equatable>(_ a: T, equals b: T, _ what: @autoclosure () -> String) throws {
    try expect(a == b, "\(what()): found \(a), expected \(b)")
  }

  /// Throws unless `work` throws an error that `isExpected`.
  func expectError<T>(
    _ what: String, _ isExpected: (CatalogError) -> Bool, _ work: () async throws -> T
  ) async throws {
    do {
      _ = try await work()
    } catch let error as CatalogError {
      return try expect(isExpected(error), "\(what): unexpected error: \(error)")
    }
    throw CatalogContract.Violation(description: "\(what): no error")
  }
}

extension CatalogError {
  var isTableNotFound: Bool { if case .tableNotFound = self { true } else { false } }
  var isTableExists: Bool { if case .tableExists = self { true } else { false } }
  var isNamespaceNotFound: Bool { if case .namespaceNotFound = self { true } else { false } }
  var isNamespaceExists: Bool { if case .namespaceExists = self { true } else { false } }
  var isNamespaceNotEmpty: Bool { if case .namespaceNotEmpty = self { true } else { false } }
  var isUnsupported: Bool { if case .unsupported = self { true } else { false } }
}
