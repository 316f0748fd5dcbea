// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake
internal import Parquet

/// `lake parquet pages FILE…`: what each page is.
struct ParquetPagesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pages",
    abstract: "List each page's kind, encoding, sizes, rows and checksum.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet files.") var files: [String]

  func validate() throws {
    if files.isEmpty { throw ValidationError("Expected a Parquet file.") }
  }

  func run() async throws {
    var result = try ResultTable(
      """
      file string not null, row_group int not null, column string not null, page int not null, \
      kind string not null, encoding string, offset long not null, header_bytes int not null, \
      compressed_bytes int not null, uncompressed_bytes int not null, "values" int not null, \
      rows int, first_row long, crc string not null
      """)
    for file in files {
      let parquet = try await ParquetCommand.open(file)
      for group in 0..<parquet.footer.rowGroupCount {
        for leaf in 0..<parquet.footer.schema.leafCount {
          result.rows += try await Self.rows(file, parquet, group, leaf)
        }
      }
    }
    result.print(output)
  }

  private static func rows(
    _ file: String, _ parquet: ParquetFile, _ group: Int, _ leaf: Int
  ) async throws -> [[Cell]] {
    let name = parquet.footer.schema.leaves[leaf].name
    let index = try await parquet.pageIndexes(
      rowGroups: [group], leaves: [leaf], statistics: [])[group]?[leaf]
    var rows: [[Cell]] = []
    var dataPage = 0
    for (number, page) in try await parquet.pages(rowGroup: group, leaf: leaf).enumerated() {
      var known: Range<Int>?
      if page.type == .dataPage || page.type == .dataPageV2 {
        if let index, dataPage < index.rows.count { known = index.rows[dataPage] }
        dataPage += 1
      }
      rows.append([
        .text(file), Cell(group), .text(name), Cell(number), .text(ParquetNames.text(page.type)),
        Cell(page.encoding.map { "\($0)" }), Cell(page.offset), Cell(page.headerByteCount),
        Cell(page.compressedByteCount), Cell(page.uncompressedByteCount), Cell(page.valueCount),
        Cell(page.rowCount ?? known?.count), Cell(known?.lowerBound),
        .text(ParquetNames.text(page.checksum)),
      ])
    }
    return rows
  }
}

/// `lake parquet index FILE…`: column indexes, offset indexes and Bloom filters.
struct ParquetIndexCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "List what page indexes tell of each page, and the Bloom filters.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet files.") var files: [String]

  func validate() throws {
    if files.isEmpty { throw ValidationError("Expected a Parquet file.") }
  }

  func run() async throws {
    var result = try ResultTable(
      """
      file string not null, row_group int not null, column string not null, kind string not null, \
      page int, offset long, bytes long, first_row long, rows int, nulls long, nans long, \
      lower string, upper string
      """)
    for file in files {
      let parquet = try await ParquetCommand.open(file)
      let leaves = Array(0..<parquet.footer.schema.leafCount)
      for group in 0..<parquet.footer.rowGroupCount {
        let indexes = try await parquet.pageIndexes(
          rowGroups: [group], leaves: leaves, statistics: Set(leaves))
        for leaf in leaves {
          let name = parquet.footer.schema.leaves[leaf].name
          let front: [Cell] = [.text(file), Cell(group), .text(name)]
          if let index = indexes[group]?[leaf] {
            result.rows += Self.pages(index).map { front + $0 }
          }
          if let range = parquet.footer.bloomFilterRange(rowGroup: group, leaf: leaf) {
            let size = range.upperBound - range.lowerBound
            let rest: [Cell] = Array(repeating: .null, count: 6)
            result.rows.append(
              front + [.text("bloom-filter"), .null, Cell(range.lowerBound), Cell(size)] + rest)
          }
        }
      }
    }
    result.print(output)
  }

  private static func pages(_ index: PageIndex) -> [[Cell]] {
    zip(index.rows, index.offsetIndex.pageLocations).enumerated().map { number, page in
      let (rows, place) = page
      let facts = number < index.statistics.count ? index.statistics[number] : nil
      return [
        .text("page"), Cell(number), Cell(place.offset), Cell(Int64(place.compressedPageSize)),
        Cell(rows.lowerBound), Cell(rows.count), Cell(facts?.nullCount), Cell(facts?.nanCount),
        Cell(facts?.lower.map { ParquetNames.text($0, facts) }),
        Cell(facts?.upper.map { ParquetNames.text($0, facts) }),
      ]
    }
  }
}

/// `lake parquet verify FILE…`: holds files against what they say of themselves.
struct ParquetVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check checksums, sizes, counts, statistics and indexes against the data.",
    discussion: "Reads every page. Prints a row a problem; exits with 2 if there is any.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet files.") var files: [String]

  func validate() throws {
    if files.isEmpty { throw ValidationError("Expected a Parquet file.") }
  }

  func run() async throws {
    var result = try ResultTable(
      """
      file string not null, check string not null, part string not null, \
      expected string not null, found string not null
      """)
    var summary = ""
    for file in files {
      func note(_ problem: ParquetProblem) {
        result.rows.append([
          .text(file), .text(problem.check.rawValue), .text("\(problem.part)"),
          .text(problem.expected), .text(problem.found),
        ])
      }
      do {
        let counts = try await ParquetCommand.open(file).audit(note)
        summary += """
          \(file): \(counts.rows) rows, \(counts.pages) pages of \(counts.bytes) bytes checked, \
          \(counts.checksums) by checksum: \
          \(counts.problems == 0 ? "all as told" : "\(counts.problems) problems")

          """
      } catch ParquetFileError.parquet(let error, _) {
        note(
          ParquetProblem(check: .footer, part: .footer, expected: "a footer", found: "\(error)"))
        summary += "\(file): 1 problem\n"
      }
    }
    if output.effectiveFormat == .table {
      if !result.rows.isEmpty { result.print(output) }
      StandardOutput.write(summary)
    } else {
      result.print(output)
      if !output.quiet { StandardError.write(summary) }
    }
    if !result.rows.isEmpty { throw ExitCode(ExitStatus.checkFailed.rawValue) }
  }
}

extension ParquetNames {
  static func text(_ type: PageType) -> String {
    switch type {
    case .dataPage: "DATA_PAGE"
    case .indexPage: "INDEX_PAGE"
    case .dictionaryPage: "DICTIONARY_PAGE"
    case .dataPageV2: "DATA_PAGE_V2"
    default: "\(type.rawValue)"
    }
  }

  static func text(_ checksum: PageDescription.Checksum) -> String {
    switch checksum {
    case .none: "none"
    case .matches: "ok"
    case .differs: "wrong"
    }
  }

  /// A bound as values of its column are printed.
  static func text(_ bound: BoundValue, _ facts: ColumnStatistics?) -> String {
    let type = facts?.type ?? .binary
    let builder = ColumnBuilder(type)
    switch bound {
    case .integer(let value):
      if type == .boolean {
        builder.append(value != 0)
      } else {
        builder.append(.integer(Int128(value)))
      }
    case .wide(let value): builder.append(.integer(value))
    case .floating(let value): builder.append(.floatingPoint(value))
    case .bytes(let value):
      // A bound that was cut may be no text, nor as long as its column's values.
      guard let text = String(validating: value, as: UTF8.self), type == .string else {
        return "0x" + value.map { Self.hexadecimal($0) }.joined()
      }
      return text
    }
    return builder.finish().textCells(.plain).text(0)
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
  }
}
