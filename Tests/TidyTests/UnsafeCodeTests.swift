// SPDX-License-Identifier: Apache-2.0
import Testing

/// Code that works on pointers, which nothing checks.
enum PointerCode {
  /// Where it may be: kernels, which check their bounds once and have safe twins; what owns memory;
  /// what calls C or the system; those that hand spans to the kernels of codecs.
  static let homes = [
    "Sources/Bytes/Kernels/", "Sources/Codecs/Kernels/", "Sources/Columnar/Kernels/",
    "Sources/Bytes/Buffer.swift", "Sources/Bytes/BufferStorage.swift",
    "Sources/Bytes/MutableBuffer.swift", "Sources/Bytes/RawSpan+Loading.swift",
    "Sources/Codecs/Zstd.swift", "Sources/Codecs/Deflate.swift", "Sources/Codecs/Snappy.swift",
    "Sources/Codecs/LZ4.swift", "Sources/Codecs/BlockInflater.swift", "Sources/Arrow/CData/",
    "Sources/Storage/Stores/", "Sources/Network/Transport/",
    "Sources/Network/Signing/SHA256Hash.swift",
    "Sources/Storage/ObjectPath.swift", "Sources/LakeCLI/",
    "Sources/SQLiteCatalog/Connection.swift",
  ]

  static func isHome(_ path: String) -> Bool { homes.contains { path.hasPrefix($0) } }

  /// The lines of `source` that have some, counted from 1.
  static func lines(_ source: String) -> [Int] {
    let lines = Array(source.utf8).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.indices.filter { line in
      Tokens.of(lines[line]).contains { isPointer(String(decoding: $0, as: UTF8.self)) }
    }.map { $0 + 1 }
  }

  private static func isPointer(_ word: String) -> Bool {
    word.hasPrefix("withUnsafe") || word.hasPrefix("unsafeBitCast") || word == "loadUnaligned"
      || word == "baseAddress" || word.hasPrefix("Unsafe") && word.contains("Pointer")
  }
}

@Suite("Unsafe code")
struct UnsafeCodeTests {
  @Test func `pointers are only where bounds are checked by hand`() throws {
    for path in Checkout.files(under: "Sources", ending: ".swift") where !PointerCode.isHome(path) {
      let lines = PointerCode.lines(try Checkout.text(path))
      #expect(lines == [], "\(path) has pointers outside of their homes")
    }
    for home in PointerCode.homes {
      #expect(!Checkout.files(under: "Sources").filter { $0.hasPrefix(home) }.isEmpty, "\(home)")
    }
  }

  /// Not a lesser loop, but one that is worth what it costs to read.
  @Test func `every kernel with pointers states what it gains`() throws {
    let kernels = Checkout.files(under: "Sources", ending: ".swift").filter {
      $0.contains("/Kernels/")
    }
    #expect(kernels.count > 15)
    for path in kernels {
      let source = try Checkout.text(path)
      if PointerCode.lines(source).isEmpty { continue }
      let stated = source.firstMatch(of: /\/\/.*(?:[0-9] ×|as fast as|against [0-9]|Gain:)/)
      #expect(stated != nil, "\(path) does not say what it gains over a safe loop")
    }
  }

  @Test func `nothing is compiled without its checks`() throws {
    let files =
      ["Package.swift", "Makefile", ".ci/run"] + Checkout.files(under: "Tools")
      + ["Benchmarks/run"]
    for path in files {
      let text = try Checkout.text(path)
      #expect(!text.contains("-Ounchecked") && !text.contains("unsafeFlags"), "\(path)")
    }
  }

  @Test func `pointers are found, and words that only sound like them are not`() {
    for code in [
      "let p = x.baseAddress", "unsafe withUnsafeBytes { }", "var p: UnsafeRawPointer",
      "let q = UnsafeMutableBufferPointer(start: p, count: 1)", "unsafeBitCast(a, to: B.self)",
    ] {
      #expect(PointerCode.lines("let a = 1\n" + code) == [2], "\(code)")
    }
    for code in ["// UnsafeRawPointer", #"let t = "baseAddress""#, "let unsafePlace = 1"] {
      #expect(PointerCode.lines(code) == [], "\(code)")
    }
  }
}
