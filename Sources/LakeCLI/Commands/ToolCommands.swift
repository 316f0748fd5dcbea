// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake version`.
struct VersionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Say which version of Lake this is.")

  @OptionGroup var output: OutputOptions

  func run() async throws {
    guard output.effectiveFormat != .table else {
      return StandardOutput.write("lake \(Version.current)\n")
    }
    var record = ResultRecord()
    record.add("version", Version.current)
    record.print(output)
  }
}

/// `lake completions bash|zsh|fish`: the script that makes a shell complete `lake`.
struct CompletionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print what makes a shell complete lake's commands and options.",
    discussion: """
      bash: lake completions bash > ~/.local/share/bash-completion/completions/lake
      zsh:  lake completions zsh > a folder of $fpath, as _lake
      fish: lake completions fish > ~/.config/fish/completions/lake.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  @Argument(help: "The shell.") var shell: Shell

  func run() async throws {
    let script =
      switch shell {
      case .bash: Lake.completionScript(for: .bash)
      case .zsh: Lake.completionScript(for: .zsh)
      case .fish: Lake.completionScript(for: .fish)
      }
    StandardOutput.write(script.hasSuffix("\n") ? script : script + "\n")
  }
}
