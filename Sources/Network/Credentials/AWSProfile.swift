// SPDX-License-Identifier: Apache-2.0

/// The settings of one profile of the AWS tools.
///
///     file    := line*
///     line    := "[" section "]" | key "=" value | comment
///     section := name in `credentials`, "profile " name or "default" in `config`
///
/// A setting that both files have is that of `credentials`. Lines that are indented belong to a
/// nested setting and are passed over.
struct AWSProfile {
  private var settings: [String: String]

  /// The profile's name, and whether someone asked for it.
  static func name(in context: CredentialsContext) -> (name: String, isAskedFor: Bool) {
    let asked =
      context.property("s3.profile-name", "client.profile-name")
      ?? context.setVariable("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    return (asked ?? "default", asked != nil)
  }

  /// The profile that `context` asks for, or the default one; nil if no file has it.
  init?(of context: CredentialsContext) {
    let name = Self.name(in: context).name
    var found = false
    var settings: [String: String] = [:]
    for (variable, file, isConfig) in [
      ("AWS_CONFIG_FILE", "config", true), ("AWS_SHARED_CREDENTIALS_FILE", "credentials", false),
    ] {
      guard let path = Self.path(variable, file, context), let text = context.text(ofFile: path),
        let part = Self.section(name, of: text, isConfig: isConfig)
      else { continue }
      found = true
      settings.merge(part) { $1 }
    }
    guard found else { return nil }
    self.settings = settings
  }

  /// The setting `key`; nil if it is not there or empty.
  subscript(key: String) -> String? { settings[key].flatMap { $0.isEmpty ? nil : $0 } }

  private static func path(
    _ variable: String, _ file: String, _ context: CredentialsContext
  ) -> String? {
    let home = context.setVariable("HOME")
    if let given = context.setVariable(variable) {
      guard given.hasPrefix("~/") else { return given }
      return home.map { $0 + given.dropFirst() }
    }
    return home.map { "\($0)/.aws/\(file)" }
  }

  private static func section(
    _ name: String, of text: String, isConfig: Bool
  ) -> [String: String]? {
    var found: [String: String]?
    var isInside = false
    for line in text.split(whereSeparator: \.isNewline) {
      let trimmed = line.trimmed
      guard let first = trimmed.first, first != "#", first != ";" else { continue }
      if first == "[" {
        guard let end = trimmed.firstIndex(of: "]") else {
          isInside = false
          continue
        }
        let title = trimmed[trimmed.index(after: trimmed.startIndex)..<end].trimmed
        isInside = isTitle(title, of: name, isConfig: isConfig)
        if isInside && found == nil { found = [:] }
      } else if isInside, line.first?.isWhitespace == false,
        let equals = trimmed.firstIndex(of: "=")
      {
        let value = trimmed[trimmed.index(after: equals)...].trimmed
        found?[trimmed[..<equals].trimmed.lowercased()] = withoutComment(value)
      }
    }
    return found
  }

  private static func isTitle(_ title: Substring, of name: String, isConfig: Bool) -> Bool {
    if !isConfig || name == "default" { if title == name { return true } }
    guard isConfig, title.hasPrefix("profile"), let after = title.dropFirst(7).first,
      after.isWhitespace
    else { return false }
    return title.dropFirst(7).trimmed == name
  }

  /// A comment behind a value begins with white space and `#` or `;`.
  private static func withoutComment(_ value: Substring) -> String {
    var isAfterSpace = false
    for index in value.indices {
      let character = value[index]
      if isAfterSpace && (character == "#" || character == ";") {
        return String(value[..<index].trimmed)
      }
      isAfterSpace = character.isWhitespace
    }
    return String(value)
  }
}

extension Substring {
  /// Without white space around it.
  fileprivate var trimmed: Substring {
    var rest = self
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
