// SPDX-License-Identifier: Apache-2.0
import Lake

extension CatalogContract {
  static let namespaceLaws: [Law] = [
    Law("a namespace is there until it is dropped, also without a table") { subject in
      let (catalog, other, root) = (subject.catalog, subject.other, subject.root)
      try subject.expect(
        try await other.listNamespaces(in: []).contains([root]), "it is not listed")
      try subject.expect(try await other.listTables(in: [root]), equals: [], "tables in it")
      try await subject.expectError("made twice", \.isNamespaceExists) {
        try await other.createNamespace([root], properties: [:])
      }
      try await other.dropNamespace([root])
      try subject.expect(
        try await !catalog.listNamespaces(in: []).contains([root]), "it is listed after the drop")
      try await subject.expectError("dropped twice", \.isNamespaceNotFound) {
        try await catalog.dropNamespace([root])
      }
      try await catalog.createNamespace([root], properties: ["owner": "me"])
      try subject.expect(
        try await other.namespaceProperties(of: [root])["owner"], equals: "me", "its property")
    },
    Law("a namespace that is not there is told of as such") { subject in
      let missing = [subject.root + "_not"]
      try await subject.expectError("tables", \.isNamespaceNotFound) {
        try await subject.catalog.listTables(in: missing)
      }
      try await subject.expectError("namespaces", \.isNamespaceNotFound) {
        try await subject.catalog.listNamespaces(in: missing)
      }
      try await subject.expectError("properties", \.isNamespaceNotFound) {
        try await subject.catalog.namespaceProperties(of: missing)
      }
      try await subject.expectError("a change", \.isNamespaceNotFound) {
        try await subject.catalog.updateNamespaceProperties(
          of: missing, setting: ["a": "b"], removing: [])
      }
    },
    Law("a namespace with a table in it is not dropped") { subject in
      _ = try await subject.create("t")
      try await subject.expectError("dropped", \.isNamespaceNotEmpty) {
        try await subject.other.dropNamespace([subject.root])
      }
      try subject.expect(
        try await subject.other.listTables(in: [subject.root]),
        equals: [try subject.identifier("t")], "its tables")
    },
    Law("properties of namespaces are set, changed and removed") { subject in
      let (catalog, other, root) = (subject.catalog, subject.other, [subject.root])
      try await catalog.updateNamespaceProperties(
        of: root, setting: ["a": "1", "b": "", "ü'\"": "x\ny"], removing: [])
      try await other.updateNamespaceProperties(
        of: root, setting: ["a": "2"], removing: ["b", "never there"])
      let found = try await catalog.namespaceProperties(of: root)
      try subject.expect(found["a"], equals: "2", "what was changed")
      try subject.expect(found["b"], equals: nil, "what was removed")
      try subject.expect(found["ü'\""], equals: "x\ny", "what was left")
      try await other.updateNamespaceProperties(
        of: root, setting: [:], removing: Array(found.keys))
      try subject.expect(
        try await catalog.listNamespaces(in: []).contains(root), "gone with its properties")
    },
    Law("changes of properties at once are all made") { subject in
      let root = [subject.root]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for n in 0..<8 {
          group.addTask {
            let catalog = n.isMultiple(of: 2) ? subject.catalog : subject.other
            try await catalog.updateNamespaceProperties(
              of: root, setting: ["p\(n)": "\(n)"], removing: [])
          }
        }
        try await group.waitForAll()
      }
      let found = try await subject.catalog.namespaceProperties(of: root)
      for n in 0..<8 { try subject.expect(found["p\(n)"], equals: "\(n)", "property \(n)") }
    },
    Law("namespaces lie in namespaces, and each lists its own", needs: .nests) { subject in
      let (catalog, other, root) = (subject.catalog, subject.other, subject.root)
      try await catalog.createNamespace([root, "a"], properties: [:])
      try await catalog.createNamespace([root, "a", "b"], properties: [:])
      // What a pattern would take for `a`.
      try await catalog.createNamespace([root, "_"], properties: [:])
      try await catalog.createNamespace([root, "%"], properties: [:])
      try await catalog.createNamespace([root, "aa"], properties: [:])
      try subject.expect(
        try await other.listNamespaces(in: [root]),
        equals: [[root, "%"], [root, "_"], [root, "a"], [root, "aa"]], "those in the root")
      try subject.expect(
        try await other.listNamespaces(in: [root, "a"]), equals: [[root, "a", "b"]], "those in a")
      try subject.expect(
        try await other.listNamespaces(in: [root, "_"]), equals: [], "those in _")
      try await subject.expectError("one with another in it", \.isNamespaceNotEmpty) {
        try await other.dropNamespace([root, "a"])
      }
      try await other.dropNamespace([root, "_"])
      try await other.dropNamespace([root, "%"])
      try subject.expect(
        try await catalog.listNamespaces(in: [root]), equals: [[root, "a"], [root, "aa"]],
        "those that are left")
    },
    Law("a table makes its namespace", needs: [.nests, .impliesNamespaces]) { subject in
      let namespace = [subject.root, "x", "y"]
      let table = try TableIdentifier(namespace: namespace, name: "t")
      _ = try await subject.catalog.createTable(table, TableDefinition(schema: Schema("k int")))
      try subject.expect(try await subject.other.listTables(in: namespace), equals: [table], "y")
      try subject.expect(
        try await subject.other.listNamespaces(in: [subject.root]),
        equals: [[subject.root, "x"]], "those in the root")
      try subject.expect(
        try await subject.other.listNamespaces(in: [subject.root, "x"]), equals: [namespace], "x")
      try subject.expect(
        try await subject.other.listTables(in: [subject.root, "x"]), equals: [], "tables of x")
    },
  ]
}
