// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// How results are printed, as every command has it.
struct OutputOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table
    case jsonl
    case json
    case csv
    /// An Arrow IPC stream.
    case arrow
    /// One Parquet file.
    case parquet
  }

  @Option(help: "How results are printed (default: table on a terminal, else jsonl).")
  var format: Format?

  @Flag(help: "No progress on standard error.")
  var quiet = false

  @Flag(help: "Say the causes of an error too.")
  var verbose = false

  func validate() throws {
    if format == .arrow || format == .parquet, StandardOutput.isTerminal {
      throw ValidationError("--format \(format?.rawValue ?? "") is not for a terminal.")
    }
  }

  /// The format asked for, or the one that fits where the output goes.
  var effectiveFormat: Format { format ?? (StandardOutput.isTerminal ? .table : .jsonl) }

  /// True if a change is told as a JSON object, else as a line for people.
  var printsObject: Bool { effectiveFormat != .table }
}
