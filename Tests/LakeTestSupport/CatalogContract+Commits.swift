// SPDX-License-Identifier: Apache-2.0
import Lake

extension CatalogContract {
  static let commitLaws: [Law] = [
    Law("what was committed is seen by all who look later") { subject in
      var table = try await subject.create("t")
      for n in 1...5 {
        table = try await subject.append(
          "row \(n)", to: n.isMultiple(of: 2) ? table : subject.load("t"))
        try subject.expect(try await subject.texts("t").count, equals: n, "rows after commit \(n)")
      }
      let log = try await subject.load("t").metadata
      try subject.expect(log.snapshots.count, equals: 5, "snapshots")
      for (child, parent) in zip(log.snapshots.dropFirst(), log.snapshots) {
        try subject.expect(child.parentID, equals: parent.id, "parent")
      }
    },
    Law("of commits on one state exactly one is made, and the others are conflicts") { subject in
      let base = try await subject.create("t")
      let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
        for n in 0..<6 {
          group.addTask {
            let catalog = n.isMultiple(of: 2) ? subject.catalog : subject.other
            let own = try await catalog.loadTable(subject.identifier("t"))
            try subject.expect(own.metadata, equals: base.metadata, "the base")
            return "loaded"
          }
        }
        try await group.waitForAll()
        for n in 0..<6 {
          group.addTask {
            let update = TableUpdate.setProperties(["winner": "\(n)"])
            let commit = TableCommit(
              base: base, requirements: base.metadata.uuid.map { [.tableUUID($0)] } ?? [],
              updates: [update])
            switch try await base.commit(commit) {
            case .committed(let table): return "won " + (table.metadata.properties["winner"] ?? "-")
            case .conflict: return "lost"
            case .unknown(let cause): throw cause
            }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let wins = outcomes.filter { $0.hasPrefix("won") }
      try subject.expect(wins.count, equals: 1, "how many won of \(outcomes)")
      try subject.expect(outcomes.filter { $0 == "lost" }.count, equals: 5, "how many lost")
      let winner = try await subject.load("t").metadata.properties["winner"]
      try subject.expect("won \(winner ?? "")", equals: wins.first ?? "", "who won")
    },
    Law("B5: commits at once are all made, each once") { subject in
      _ = try await subject.create("t")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            let catalog = writer.isMultiple(of: 2) ? subject.catalog : subject.other
            var table = try await catalog.loadTable(subject.identifier("t"))
            for n in 0..<3 { table = try await subject.append("\(writer) \(n)", to: table) }
          }
        }
        try await group.waitForAll()
      }
      let expected = (0..<4).flatMap { writer in (0..<3).map { "\(writer) \($0)" } }
      try subject.expect(try await subject.texts("t"), equals: expected, "rows")
      try subject.expect(
        try await subject.load("t").metadata.snapshots.count, equals: 12, "commits")
    },
    Law("B8: a requirement that does not hold is a conflict, and nothing is changed") { subject in
      let base = try await subject.create("t")
      let commit = TableCommit(
        base: base,
        requirements: [.referenceSnapshot(name: "main", SnapshotID(42))],
        updates: [.setProperties(["a": "b"])])
      guard case .conflict = try await base.commit(commit) else {
        throw Violation(description: "no conflict")
      }
      try subject.expect(try await subject.load("t").metadata, equals: base.metadata, "the table")
    },
    Law("B9: who stalls holds up no one, and commits nothing on the state of then") { subject in
      let base = try await subject.append("first", to: subject.create("t"))
      let late = TableCommit(
        base: base,
        requirements: [.referenceSnapshot(name: "main", base.metadata.currentSnapshotID)],
        updates: [.setProperties(["late": "true"])])
      for text in ["second", "third"] { try await subject.append(text, to: subject.load("t")) }
      let before = try await subject.load("t").metadata
      guard case .conflict = try await base.commit(late) else {
        throw Violation(description: "no conflict")
      }
      try subject.expect(try await subject.load("t").metadata, equals: before, "the table")
      try subject.expect(
        try await subject.texts("t"), equals: ["first", "second", "third"], "rows")
    },
    Law("B12: a commit never reaches another table of the name") { subject in
      let old = try await subject.append("old", to: subject.create("t"))
      try await subject.catalog.dropTable(subject.identifier("t"), .keepFiles)
      try await subject.append("new", to: subject.create("t"))
      do {
        try await subject.append("stray", to: old)
        throw Violation(description: "the commit was made")
      } catch is AppendError<Never> {
        // Whatever the reason given is.
      }
      try subject.expect(try await subject.texts("t"), equals: ["new"], "rows of the new table")
    },
    Law("a commit to a table that was renamed or dropped is not made", needs: .renames) { subject in
      let table = try await subject.append("row", to: subject.create("t"))
      try await subject.other.renameTable(subject.identifier("t"), to: subject.identifier("u"))
      do {
        try await subject.append("stray", to: table)
        throw Violation(description: "the commit was made")
      } catch is AppendError<Never> {}
      try subject.expect(try await subject.texts("u"), equals: ["row"], "rows")
    },
    Law("a conflict leaves nothing behind but what counts") { subject in
      let base = try await subject.create("t")
      try await subject.append("first", to: base)
      try await subject.append("second", to: base)
      let table = try await subject.load("t")
      let metadata = try await subject.files(of: table).filter { $0.hasSuffix(".metadata.json") }
      try subject.expect(metadata.count, equals: 3, "metadata files: \(metadata)")
      try subject.expect(try await subject.texts("t"), equals: ["first", "second"], "rows")
    },
    Law("schemas, properties and references are committed as rows are") { subject in
      var table = try await subject.append("row", to: subject.create("t"))
      table = try await table.commit(
        TableCommit(
          base: table, requirements: [],
          updates: [.setProperties(["a": "1", "b": "2"])])
      ).committedTable()
      table = try await table.commit(
        TableCommit(base: table, requirements: [], updates: [.removeProperties(["a"])])
      ).committedTable()
      let found = try await subject.load("t").metadata
      try subject.expect(found.properties["a"], equals: nil, "a property that was removed")
      try subject.expect(found.properties["b"], equals: "2", "a property that was set")
      try subject.expect(try await subject.texts("t"), equals: ["row"], "rows")
    },
  ]
}

extension CommitOutcome {
  /// - Throws: unless it was committed.
  func committedTable() throws -> Table {
    guard case .committed(let table) = self else {
      throw CatalogContract.Violation(description: "the commit ended \(self)")
    }
    return table
  }
}
