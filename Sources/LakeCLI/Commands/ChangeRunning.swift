// SPDX-License-Identifier: Apache-2.0
internal import Lake

extension TableChange {
  /// Commits this change to the table called `name`, and tells of it.
  ///
  /// - Parameter operation: what it is called if it makes no snapshot.
  func run(
    on name: TableName, _ catalog: CatalogOptions, _ output: OutputOptions,
    as operation: String
  ) async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let receipt = try await catalog.table(name).commit(self)
    var report = ChangeReport(
      table: name.text, receipt, duration: environment.uptime() - start)
    if receipt.snapshot == nil { report.operation = operation }
    report.print(output)
  }
}
