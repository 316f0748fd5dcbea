// SPDX-License-Identifier: Apache-2.0
import Testing

/// What SPEC.md promises, and what it says holds each promise.
///
///     promise := '- **S-' number '**' text [':' ' ' names] '.'
///     names   := '`' name '`' (',' ' ' '`' name '`')*
///
/// A name is a test's, or `make` and a target of the Makefile. A paragraph that begins with
/// `Held by` has names too.
struct Promises {
  let numbers: [String]
  /// Names with the lines they are on.
  let names: [(name: String, line: Int)]

  init(_ spec: String) {
    var numbers: [String] = []
    var names: [(String, Int)] = []
    for (index, line) in spec.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let number = line.firstMatch(of: /^- \*\*(S-\d+)\*\*/)
      if let number { numbers.append(String(number.1)) }
      guard number != nil || line.hasPrefix("Held by "),
        let tail = line.firstMatch(of: /(?:: |Held by )((?:`[^`]+`(?:, )?)+)\.?$/)
      else { continue }
      names += tail.1.matches(of: /`([^`]+)`/).map { (String($0.1), index + 1) }
    }
    self.numbers = numbers
    self.names = names
  }

  /// The names that are neither a test of `sources` nor a target of `makefile`.
  func broken(sources: [String], makefile: String) -> [String] {
    var tests: Set<String> = []
    for source in sources {
      tests.formUnion(source.matches(of: /func `([^`]+)`/).map { String($0.1) })
    }
    let targets = Set(
      makefile.matches(of: /(?m)^([a-z-]+(?: [a-z-]+)*):/).flatMap {
        $0.1.split(separator: " ").map(String.init)
      })
    return names.filter { name, _ in
      if name.hasPrefix("make ") { return !targets.contains(String(name.dropFirst(5))) }
      return !tests.contains(name)
    }.map { "SPEC.md:\($0.line): `\($0.name)` holds nothing: there is no such test or target" }
  }
}

@Suite("Promises of SPEC.md")
struct PromiseTests {
  @Test func `every test that a promise names is there`() throws {
    let promises = Promises(try Checkout.text("SPEC.md"))
    #expect(promises.names.count > 5)
    let sources = try Checkout.files(under: "Tests", ending: ".swift").map { try Checkout.text($0) }
    for broken in promises.broken(sources: sources, makefile: try Checkout.text("Makefile")) {
      Issue.record("\(broken)")
    }
  }

  @Test func `no number is given twice`() throws {
    let numbers = Promises(try Checkout.text("SPEC.md")).numbers
    #expect(numbers.count > 5 && Set(numbers).count == numbers.count, "\(numbers)")
  }

  private static let spec = """
    - **S-1** It holds: `a test there is`, `make check`.
    - **S-2** An error is `lake: this: that`; nothing is named.
    - **S-3** It does not hold: `a test that is gone`.
    Held by `another one that is gone`, `a test there is`.
    - **S-4** So is this: `make nothing`
    Formats: `none`.
    """

  @Test func `a promise whose test is gone is found`() {
    let promises = Promises(Self.spec)
    #expect(promises.numbers == ["S-1", "S-2", "S-3", "S-4"])
    let broken = promises.broken(
      sources: ["  @Test func `a test there is`() {}"], makefile: "all check: x\n\tdo\n")
    #expect(broken.count == 3, "\(broken)")
    #expect(broken[0].hasPrefix("SPEC.md:3: `a test that is gone`"))
    #expect(broken[1].hasPrefix("SPEC.md:4: `another one that is gone`"))
    #expect(broken[2].hasPrefix("SPEC.md:5: `make nothing`"))
  }
}
