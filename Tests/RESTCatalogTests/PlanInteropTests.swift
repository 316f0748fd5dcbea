// SPDX-License-Identifier: Apache-2.0
import Catalogs
import Foundation
import JSON
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Synchronization
import Testing

/// What we ask servers to plan, and what the model server answers, as PyIceberg reads it.
@Suite("REST scan planning: PyIceberg")
struct PlanInteropTests {
  private final class Answers: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
  }

  /// Reads a file of lines: for each scan the schema, the request and the answer.
  private static let script = """
    import json, sys
    from pydantic import TypeAdapter
    from pyiceberg.schema import Schema
    from pyiceberg.expressions import visitors
    from pyiceberg.catalog.rest.scan_planning import PlanTableScanRequest, PlanningResponse
    answers = TypeAdapter(PlanningResponse)
    filters = tasks = deletes = 0
    for line in open(sys.argv[1]):
        case = json.loads(line)
        schema = Schema.model_validate(case["schema"])
        request = PlanTableScanRequest.model_validate(case["request"])
        assert request.snapshot_id == case["request"]["snapshot-id"]
        if request.filter is not None:
            visitors.bind(schema, request.filter, True)
            filters += 1
        for name in (request.select or []) + (request.stats_fields or []):
            schema.find_field(name)
        # PyIceberg 0.12 has no model of what is left of a filter, nor of partitions of null.
        for task in case["answer"]["file-scan-tasks"]:
            task.pop("residual-filter", None)
        for file in case["answer"]["delete-files"] + [
            task["data-file"] for task in case["answer"]["file-scan-tasks"]
        ]:
            file["partition"] = [value or 0 for value in file["partition"]]
        answer = answers.validate_python(case["answer"])
        assert answer.status == "completed"
        for task in answer.file_scan_tasks:
            tasks += 1
            deletes += len(task.delete_file_references or [])
    assert filters > 0 and tasks > 0 and deletes > 0, (filters, tasks, deletes)
    """

  @Test func `PyIceberg reads the requests as they are meant, and the model's answers`()
    async throws
  {
    guard let python = Oracles.python(of: "pyiceberg") else {
      print("skipped, 1 test: no PyIceberg for: requests to plan scans")
      if SiblingFolder.isContinuousIntegration { Issue.record("PyIceberg is not installed") }
      return
    }
    let random = SeededRandom(printing: "requests to plan scans")
    var lines: [String] = []
    // A history may have no deletes; so many have some.
    for seed in 0..<6 {
      let world = try RESTWorld(seed: random.next())
      var history = try await RandomHistory(
        random, seed.isMultiple(of: 2) ? .v2 : .v3, store: world.memory)
      for _ in 0..<8 { try await history.step(random) }
      var here = try await history.table.refreshed()
      here = try await OtherEngine.appendAgain(to: here, random)
      here = try await OtherEngine.deleteByValue(from: here, random)
      guard here.metadata.currentSnapshot != nil else { continue }
      let answers = Answers()
      let metadata = here.metadata
      let place = here.metadataLocation.text
      await world.server.update { server in
        server.configuration =
          #"{"defaults":{},"overrides":{},"endpoints":\#(ModelServer.array(ModelPlanning.routes))}"#
        server.tableSettings = #"{"scan-planning-mode":"server"}"#
        server.planning = ModelPlanning()
        server.planning?.ignoresFilters = true
        server.planning?.lie = { text in
          answers.add(text)
          return text
        }
        server.tables[world.identifier] = .init(metadata: metadata, location: place, version: 0)
      }
      let table = try await world.catalog().loadTable(world.identifier)
      let schema = table.metadata.currentSchema
      var writer = JSONWriter()
      schema.write(to: &writer)
      let schemaText = String(decoding: writer.finish().array(), as: UTF8.self)
      for _ in 0..<12 {
        let before = await world.server.received.count
        let filter = Generators.predicate(random, on: schema, depth: 2)
        _ = try await table.scan().filter(filter).canonicalRows()
        // A filter of nothing is no question.
        guard
          let request = await world.server.received.dropFirst(before)
            .first(where: { $0.path.hasSuffix("/tables/t/plan") }), let answer = answers.all.last
        else { continue }
        lines.append(
          #"{"schema":\#(schemaText),"request":\#(request.body),"answer":\#(answer)}"#)
      }
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-plans-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cases = folder.appending(path: "cases.json")
    try lines.joined(separator: "\n").write(to: cases, atomically: true, encoding: .utf8)
    let script = folder.appending(path: "script.py")
    try Self.script.write(to: script, atomically: true, encoding: .utf8)
    try await Command.run(python, [script.path, cases.path])
  }
}
