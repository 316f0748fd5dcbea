// SPDX-License-Identifier: Apache-2.0
import Foundation

/// DuckDB, asked what expressions are of given rows.
public struct ExpressionOracle {
  /// What one expression is in one row.
  public enum Answer: Hashable, Sendable {
    case null
    case text(String)
    /// The engine refused, with its words.
    case failure(String)
  }

  private let python: URL

  /// Nil if DuckDB is not installed.
  public init?() {
    guard let python = Oracles.python(of: "duckdb") else { return nil }
    self.python = python
  }

  /// For each of `expressions` the answer in each of `rows`, whose values are told as text for the
  /// columns `columns` (names, and types as DuckDB spells them).
  public func answers(
    _ expressions: [String], columns: [(name: String, type: String)], rows: [[String?]]
  ) throws -> [[Answer]] {
    let folder = FileManager.default.temporaryDirectory
    let job = folder.appending(path: "lake-expressions-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: job) }
    let names = columns.map { [$0.name, $0.type] }
    let cells = rows.map { $0.map { $0 ?? NSNull() as Any } }
    let request: [String: Any] = ["columns": names, "rows": cells, "expressions": expressions]
    try JSONSerialization.data(withJSONObject: request).write(to: job)

    let process = Process()
    process.executableURL = python
    process.arguments = ["-c", Self.script, job.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let parsed = try JSONSerialization.jsonObject(with: data) as? [[[String]]] ?? []
    return parsed.map { answers in
      answers.map { answer in
        switch answer.first {
        case "null": .null
        case "text": .text(answer[1])
        default: .failure(answer.last ?? "")
        }
      }
    }
  }

  private static let script = """
    import duckdb, json, sys
    job = json.load(open(sys.argv[1]))
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'")
    con.execute("SET threads=1")
    con.execute("CREATE TABLE rows (row_number INTEGER, "
                + ", ".join(f'{n} {t}' for n, t in job["columns"]) + ")")
    casts = ", ".join(f"CAST(? AS {t})" for _, t in job["columns"])
    con.executemany(f"INSERT INTO rows VALUES (?, {casts})",
                    [[i] + row for i, row in enumerate(job["rows"])])
    def ask(text, where=""):
        found = con.execute(f"SELECT CAST(({text}) AS VARCHAR) FROM rows {where} "
                            "ORDER BY row_number").fetchall()
        return [["null"] if v is None else ["text", v] for (v,) in found]
    answers = []
    for text in job["expressions"]:
        try:
            answers.append(ask(text))
        except duckdb.Error:
            each = []
            for i in range(len(job["rows"])):
                try:
                    each += ask(text, f"WHERE row_number = {i}")
                except duckdb.Error as error:
                    each.append(["failure", str(error)])
            answers.append(each)
    json.dump(answers, sys.stdout)
    """
}
