// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
internal import JSON

/// What a server says of a scan that it plans: how far it is, and files and parts of the plan.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`, `PlanTableScanResult`, `FetchPlanningResult` and
/// `FetchScanTasksResult`.
struct PlanAnswer: Sendable {
  enum Status: String {
    case completed, submitted, cancelled, failed
  }

  /// A data file and the indices of its delete files in ``deletes``.
  struct FileTask: Sendable {
    var file: DataFile
    let sequenceNumber: SequenceNumber?
    let deletes: [Int]
  }

  /// Nil in an answer that is about a part of a plan.
  private(set) var status: Status?
  /// What the plan is known by, while the server keeps something for it.
  private(set) var planID: String?
  /// The parts that are to be asked for.
  private(set) var parts: [String] = []
  private(set) var tasks: [FileTask] = []
  private(set) var deletes: [DataFile] = []
  /// Keys for the files of the plan.
  private(set) var credentials: [TableAccess.PlacedCredential] = []

  /// - Throws: ``RESTFailure/unreadable(_:)``.
  init(_ body: Buffer, of metadata: TableMetadata) throws(RESTFailure) {
    var decoder = ContentFileDecoder(metadata)
    var rest: [JSONMember] = []
    do {
      var reader = JSONReader(body.bytes)
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let name = key.string
        // Files are made of their text one by one: there may be very many.
        switch (name, try reader.peek()) {
        case ("file-scan-tasks", .array):
          try reader.beginArray()
          while try reader.nextElement() {
            tasks.append(try Self.task(try reader.readValue(), &decoder))
          }
        case ("delete-files", .array):
          try reader.beginArray()
          while try reader.nextElement() {
            deletes.append(try decoder.file(try reader.readValue()))
          }
        default: rest.append(JSONMember(name, try reader.readValue()))
        }
      }
      try reader.finish()
    } catch let error as RESTFailure {
      throw error
    } catch {
      throw .unreadable("the plan is no JSON: \(error)")
    }
    try read(try Message(.object(rest), "the plan"))
    try check()
  }

  private mutating func read(_ message: Message) throws(RESTFailure) {
    if let text = try message.optionalString("status") {
      guard let known = Status(rawValue: text.lowercased()) else {
        throw .unreadable("the plan has the status '\(text)'")
      }
      status = known
    }
    planID = try message.optionalString("plan-id")
    if let elements = message.json["plan-tasks"]?.elements {
      for element in elements {
        guard let part = element.string else { throw message.wrong("plan-tasks", "of strings") }
        parts.append(part)
      }
    }
    credentials = try TableAccess.credentials(message)
  }

  private static func task(
    _ json: JSONValue, _ decoder: inout ContentFileDecoder
  ) throws(RESTFailure) -> FileTask {
    let message = try Message(json, "a task of the plan")
    guard let data = json["data-file"] else { throw message.wrong("data-file", "a file") }
    // Newer servers tell how old the rows are.
    let age = try Message(data, "a file of the plan").optionalCount("data-sequence-number")
    let references = try message.optionalCounts("delete-file-references") ?? []
    return FileTask(
      file: try decoder.file(data), sequenceNumber: age.map { SequenceNumber($0) },
      deletes: references.map { Int(clamping: $0) })
  }

  private mutating func check() throws(RESTFailure) {
    for task in tasks {
      guard task.file.content == .data else {
        throw .unreadable("the plan has delete files in the place of data files")
      }
      guard task.deletes.allSatisfy({ $0 < deletes.count }) else {
        throw .unreadable(
          "the plan refers to delete file \(task.deletes.max() ?? 0), which is not there")
      }
    }
    guard deletes.allSatisfy({ $0.content != .data }) else {
      throw .unreadable("the plan has data files in the place of delete files")
    }
    try nameTargets()
  }

  /// Fills in which data file a deletion vector is of, where the server leaves it to who refers to
  /// it.
  private mutating func nameTargets() throws(RESTFailure) {
    for task in tasks {
      for index in task.deletes where deletes[index].isDeletionVector {
        if deletes[index].referencedDataFile == nil {
          deletes[index].referencedDataFile = task.file.path
        }
      }
    }
  }
}
