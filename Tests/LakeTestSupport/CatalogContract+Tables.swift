// SPDX-License-Identifier: Apache-2.0
import Lake

extension CatalogContract {
  static let tableLaws: [Law] = [
    Law("a table that was made is loaded and listed, as it was defined") { subject in
      for version in [FormatVersion.v1, .v2, .v3] {
        let schema = try Schema("k int not null, at timestamptz, tags list<string>")
        let identifier = try subject.identifier("t\(version.rawValue)")
        let made = try await subject.catalog.createTable(
          identifier,
          TableDefinition(
            schema: schema, partitionSpec: try PartitionSpec("day(at)", schema: schema),
            sortOrder: try SortOrder("k desc", schema: schema),
            properties: ["owner": "me", "empty": ""], formatVersion: version))
        let loaded = try await subject.other.loadTable(identifier)
        try subject.expect(loaded.metadata.uuid, equals: made.metadata.uuid, "uuid")
        try subject.expect(loaded.metadata.formatVersion, equals: version, "format version")
        try subject.expect(
          loaded.metadata.currentSchema.fields.map(\.name), equals: ["k", "at", "tags"], "columns")
        try subject.expect(
          loaded.metadata.defaultPartitionSpec.fields.count, equals: 1, "partition fields")
        try subject.expect(loaded.metadata.properties["owner"], equals: "me", "a property")
        try subject.expect(loaded.metadata.properties["empty"], equals: "", "an empty property")
        try subject.expect(loaded.metadata.currentSnapshot == nil, "it has a snapshot")
      }
      try subject.expect(
        try await subject.other.listTables(in: [subject.root]).map(\.name),
        equals: ["t1", "t2", "t3"], "the list")
    },
    Law("a table that is not there is told of as such") { subject in
      try await subject.expectError("loaded", \.isTableNotFound) { try await subject.load("t") }
      for mode in [DropMode.keepFiles, .purge] {
        try await subject.expectError("dropped", \.isTableNotFound) {
          try await subject.catalog.dropTable(subject.identifier("t"), mode)
        }
      }
    },
    Law("a name is had once: a second table of it is refused") { subject in
      let first = try await subject.create("t")
      try await subject.append("kept", to: first)
      try await subject.expectError("made twice", \.isTableExists) {
        try await subject.other.createTable(
          subject.identifier("t"), TableDefinition(schema: Schema("x long")))
      }
      try subject.expect(try await subject.texts("t"), equals: ["kept"], "its rows")
    },
    Law("B2: of creations at once exactly one wins") { subject in
      let identifier = try subject.identifier("t")
      let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
        for n in 0..<8 {
          group.addTask {
            let catalog = n.isMultiple(of: 2) ? subject.catalog : subject.other
            do {
              _ = try await catalog.createTable(
                identifier, TableDefinition(schema: Schema("k int, v string")))
              return true
            } catch CatalogError.tableExists {
              return false
            }
          }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      try subject.expect(wins, equals: 1, "how many won")
      try await subject.append("row", to: subject.load("t"))
      try subject.expect(try await subject.texts("t"), equals: ["row"], "its rows")
    },
    Law("a table that was dropped is gone, its files are not, and its name is free") { subject in
      let table = try await subject.append("old", to: subject.create("t"))
      try await subject.other.dropTable(subject.identifier("t"), .keepFiles)
      try await subject.expectError("loaded", \.isTableNotFound) {
        try await subject.catalog.loadTable(subject.identifier("t"))
      }
      try await subject.expectError("refreshed", \.isTableNotFound) { try await table.refreshed() }
      try subject.expect(
        try await subject.catalog.listTables(in: [subject.root]), equals: [], "list")
      let kept = try await subject.files(of: table)
      try subject.expect(kept.contains { $0.hasSuffix(".parquet") }, "its data is gone: \(kept)")
      let next = try await subject.create("t")
      try subject.expect(next.metadata.uuid != table.metadata.uuid, "the new table is the old one")
      try subject.expect(try await subject.texts("t"), equals: [], "rows of the new table")
      try await subject.expectError("refreshed beside a new one", \.isTableNotFound) {
        try await table.refreshed()
      }
    },
    Law("a purge deletes the table's files and no other", needs: .purges) { subject in
      let table = try await subject.append("old", to: subject.create("t"))
      let sibling = try await subject.append("new", to: subject.create("t_2"))
      try await subject.catalog.dropTable(subject.identifier("t"), .purge)
      let left = try await subject.files(of: table).filter { !$0.hasSuffix("-version.text") }
      try subject.expect(left, equals: [], "files of the table that was purged")
      try subject.expect(try await subject.texts("t_2"), equals: ["new"], "rows of the other one")
      try subject.expect(try await !subject.files(of: sibling).isEmpty, "files of the other one")
      try await subject.append("again", to: subject.create("t"))
      try subject.expect(try await subject.texts("t"), equals: ["again"], "a table of the name")
    },
    Law("a purge is refused where another table lies in the folder", needs: .purges) { subject in
      let table = try await subject.append("outer", to: subject.create("t"))
      let folder = try ObjectPath(table.metadata.location)
      let nested = try folder.appending(relativePath: "data/u/metadata/v1.metadata.json")
      _ = try await subject.store.put(Buffer(utf8: "{}"), to: nested, if: .none)
      try await subject.expectError("purged", \.isUnsupported) {
        try await subject.catalog.dropTable(subject.identifier("t"), .purge)
      }
      try subject.expect(try await subject.texts("t"), equals: ["outer"], "its rows")
      try await subject.store.delete(nested)
      try await subject.catalog.dropTable(subject.identifier("t"), .purge)
    },
    Law("a table keeps its rows under another name", needs: .renames) { subject in
      let table = try await subject.append("row", to: subject.create("a"))
      _ = try await subject.create("taken")
      try await subject.expectError("to a name that is taken", \.isTableExists) {
        try await subject.other.renameTable(
          subject.identifier("a"), to: subject.identifier("taken"))
      }
      try await subject.expectError("of what is not there", \.isTableNotFound) {
        try await subject.other.renameTable(subject.identifier("not"), to: subject.identifier("b"))
      }
      try await subject.other.renameTable(subject.identifier("a"), to: subject.identifier("b"))
      try subject.expect(
        try await subject.catalog.listTables(in: [subject.root]).map(\.name),
        equals: ["b", "taken"], "the list")
      try await subject.append("later", to: subject.load("b"))
      try subject.expect(try await subject.texts("b"), equals: ["later", "row"], "its rows")
      try subject.expect(
        try await subject.load("b").metadata.uuid, equals: table.metadata.uuid, "its uuid")
      // A new table of the old name has nothing to do with it, wherever its files are.
      try await subject.append("new", to: subject.create("a"))
      try subject.expect(try await subject.texts("a"), equals: ["new"], "rows of the new table")
      try subject.expect(try await subject.texts("b"), equals: ["later", "row"], "rows beside it")
      if subject.traits.contains(.purges) {
        try await subject.catalog.dropTable(subject.identifier("a"), .purge)
        try subject.expect(try await subject.texts("b"), equals: ["later", "row"], "rows after it")
      }
    },
    Law("a table that was dropped is registered again, with all it had") { subject in
      var table = try await subject.append("one", to: subject.create("t"))
      table = try await subject.append("two", to: table)
      try await subject.expectError("over one that is there", \.isTableExists) {
        try await subject.catalog.registerTable(
          subject.identifier("t"), metadataLocation: table.metadataLocation)
      }
      try await subject.catalog.dropTable(subject.identifier("t"), .keepFiles)
      let folder = try ObjectPath(table.metadata.location).appending("metadata")
      let names = try await subject.store.listAll(folder).map(\.path)
      // The last state: where it was, or where a filesystem catalog keeps it.
      guard
        let last = names.first(where: { $0 == table.metadataLocation })
          ?? names.first(where: { $0.name.hasPrefix("dropped-") })
      else { throw Violation(description: "no metadata is left: \(names)") }
      try await subject.expectError("by a file that is not there", \.isTableNotFound) {
        try await subject.catalog.registerTable(
          subject.identifier("t"), metadataLocation: folder.appending("not.metadata.json"))
      }
      let registered = try await subject.catalog.registerTable(
        subject.identifier("t"), metadataLocation: last)
      try subject.expect(registered.metadata.uuid, equals: table.metadata.uuid, "uuid")
      try subject.expect(
        registered.metadata.snapshots.map(\.id), equals: table.metadata.snapshots.map(\.id),
        "snapshots")
      try await subject.append("three", to: subject.load("t"))
      try subject.expect(try await subject.texts("t"), equals: ["one", "three", "two"], "rows")
    },
    Law("a table is registered under any name", needs: [.registersAnything]) { subject in
      let table = try await subject.append("one", to: subject.create("t"))
      try await subject.catalog.dropTable(subject.identifier("t"), .keepFiles)
      _ = try await subject.other.registerTable(
        subject.identifier("u"), metadataLocation: table.metadataLocation)
      try await subject.append("two", to: subject.load("u"))
      try subject.expect(try await subject.texts("u"), equals: ["one", "two"], "rows")
    },
    Law("what is no metadata of a table is not registered", needs: .registersAnything) { subject in
      let table = try await subject.create("t")
      let broken = try ObjectPath(table.metadata.location).appending(
        relativePath: "metadata/00009-broken.metadata.json")
      _ = try await subject.store.put(
        Buffer(utf8: "{\"format-version\": 2}"), to: broken, if: .none)
      try await subject.expectError(
        "registered", { if case .invalidMetadata = $0 { true } else { false } }
      ) {
        try await subject.catalog.registerTable(
          subject.identifier("u"), metadataLocation: broken)
      }
      try await subject.expectError("loaded", \.isTableNotFound) { try await subject.load("u") }
    },
    Law("a table is put where it is told to", needs: .takesLocations) { subject in
      let usual = try ObjectPath((try await subject.create("usual")).metadata.location)
      guard let parent = usual.parent else { return }
      let place = try parent.appending("elsewhere_\(subject.root)")
      try await subject.append("row", to: subject.create("t", at: place))
      try subject.expect(try await subject.load("t").metadata.location, equals: place.text, "place")
      try subject.expect(try await subject.texts("t"), equals: ["row"], "rows")
    },
    Law("any name that can be a name names one table", needs: .anyNames) { subject in
      let names = [
        "a", "A", "ä", "a_", "a%", "a'b", "a\"b", "a b", "a;--", "a?", "a#", "%41", "日本", "🧊",
        String(repeating: "x", count: 200), "*", "null", "0", "a:b", "$1", "?1", "é", "e\u{301}",
      ]
      for name in names {
        let table = try await subject.create(name)
        try await subject.append(name, to: table)
      }
      for name in names {
        try subject.expect(
          try await subject.texts(name).map { Array($0.utf8) }, equals: [Array(name.utf8)],
          "rows of '\(name)'")
      }
      let listed = try await subject.other.listTables(in: [subject.root]).map {
        Array($0.name.utf8)
      }
      try subject.expect(Set(listed), equals: Set(names.map { Array($0.utf8) }), "the list")
      try await subject.catalog.dropTable(subject.identifier("a_"), .keepFiles)
      try subject.expect(
        try await subject.other.listTables(in: [subject.root]).count, equals: names.count - 1,
        "how many are left")
    },
  ]
}
