// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake maintain TABLE`: all upkeep that is worth it, in one command.
struct MaintainCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintain",
    abstract: "Compact, expire, rewrite manifests and delete orphans, as far as it is worth it.",
    discussion: """
      lake maintain shop.orders --policy keep=7d,target=256MB

      Settings: keep=7d, keep-last=10, target=256MB, deleted=10%, manifests=100, orphans=3d; and \
      compact, expire, manifests, metadata, orphans =off. A table's own are its properties lake.maintain.keep \
      and so on; --policy overrides them. Prints a row a step: what was done, or why not.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("Settings, by comma.", valueName: "settings")) var policy: String?
  @Flag(help: "Say what would be done, and change nothing.") var dryRun = false

  func run() async throws {
    let table = try await catalog.table(table)
    var policy = try MaintenancePolicy(table.metadata.properties)
    if let text = self.policy { try policy.apply(text) }
    var rows = try ResultTable(
      "task string not null, outcome string not null, reason string not null")
    let steps = try await Upkeep(table, policy).run(dryRun ? .plan : .run) { step in
      rows.rows.append([
        .text(step.task.rawValue), .text(step.outcome.rawValue), .text(step.reason),
      ])
    }
    rows.print(output)
    for step in steps {
      if let error = step.error { throw error }
    }
    if steps.contains(where: { $0.outcome == .failed }) {
      throw ExitCode(ExitStatus.failed.rawValue)
    }
  }
}
