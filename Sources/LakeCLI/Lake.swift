// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// The `lake` command: its subcommands, and nothing else.
struct Lake: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lake",
    abstract: "Apache Iceberg tables: created, filled, read and looked into.",
    discussion: """
      Tables are named namespace.table, and live in a catalog (--warehouse, --catalog); or they are \
      opened by their location, which has a '/'. Rows go to standard output, everything else to \
      standard error.

      Exit codes: 0 done, 1 failed, 2 a check did not hold, 3 not found, 4 lost to other writers \
      and nothing was changed, 5 outcome unknown and nothing was cleaned up, 64 usage.
      """,
    version: Version.current,
    subcommands: [
      CreateCommand.self, AppendCommand.self, AddFilesCommand.self, OverwriteCommand.self,
      DeleteCommand.self, UpdateCommand.self, UpsertCommand.self,
      ScanCommand.self, CountCommand.self, GetCommand.self, ChangesCommand.self,
      LogCommand.self, ShowCommand.self, DiffCommand.self, InspectCommand.self, SchemaCommand.self,
      DescribeCommand.self, AlterCommand.self, BranchCommand.self, TagCommand.self,
      RollbackCommand.self, CherryPickCommand.self, RewriteManifestsCommand.self, ListCommand.self,
      DropCommand.self, RenameCommand.self, RegisterCommand.self, NamespaceCommand.self,
      IndexCommand.self, AnalyzeCommand.self, CompactCommand.self, ExpireCommand.self,
      OrphansCommand.self, MaintainCommand.self, BackfillCommand.self,
      VerifyCommand.self, DoctorCommand.self, ParquetCommand.self, VersionCommand.self,
      CompletionsCommand.self,
    ])
}

/// Which version of Lake this is.
enum Version {
  static let current = "0.1.0"
}
