// SPDX-License-Identifier: Apache-2.0
import Testing

/// Which files the table of fixtures names.
struct FixtureIndex {
  /// Names and paths, with `*` for any text.
  private let patterns: [String]

  init(_ readme: String) {
    let words = readme.split { " \n|`,;()".contains($0) }
    patterns = Self.spans(readme).flatMap(Self.expanded) + words.map(String.init)
  }

  func names(_ path: String) -> Bool {
    let name = String(path.split(separator: "/").last ?? "")
    return patterns.contains {
      Self.matches(path[...], $0[...]) || Self.matches(name[...], $0[...])
    }
  }

  /// What is between backticks.
  private static func spans(_ text: String) -> [String] {
    text.matches(of: /`([^`\n]+)`/).map { String($0.1) }
  }

  /// `a_{b,c}.d` as `a_b.d` and `a_c.d`.
  private static func expanded(_ pattern: String) -> [String] {
    guard let match = pattern.firstMatch(of: /^([^{]*)\{([^}]*)\}(.*)$/) else { return [pattern] }
    return match.2.split(separator: ",").flatMap { expanded("\(match.1)\($0)\(match.3)") }
  }

  private static func matches(_ text: Substring, _ pattern: Substring) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == "*" {
      let rest = pattern.dropFirst()
      return pattern.count > 1
        && text.indices.contains { matches(text[$0...], rest) }
    }
    return text.first == first && matches(text.dropFirst(), pattern.dropFirst())
  }
}

@Suite("The table of fixtures")
struct FixtureIndexTests {
  @Test func `every fixture has a line that says what it is`() throws {
    let index = FixtureIndex(try Checkout.text("Fixtures/README.md"))
    let files = Checkout.files(under: "Fixtures").filter { $0 != "Fixtures/README.md" }
    #expect(files.count > 20)
    for file in files {
      #expect(index.names(String(file.dropFirst("Fixtures/".count))), "\(file) is not told of")
    }
  }

  @Test func `names, paths, alternatives and stars are understood`() {
    let index = FixtureIndex(
      """
      | parquet/corpus.tsv | `a.avro` | what |
      | `all_{x,y}.bin` `2013-*.csv` | |
      """)
    for path in [
      "parquet/corpus.tsv", "avro/a.avro", "all_x.bin", "z/all_y.bin", "flights/2013-01-01.csv",
    ] {
      #expect(index.names(path), "\(path)")
    }
  }

  @Test(arguments: ["b.avro", "all_z.bin", "parquet/corpus.tsv2", "2014-01-01.csv", "2013-x.txt"])
  func `a fixture without a line is found`(path: String) {
    let index = FixtureIndex("| `a.avro` | `all_{x,y}.bin` `2013-*.csv` parquet/corpus.tsv")
    #expect(!index.names(path))
  }
}
