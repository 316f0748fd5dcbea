// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Output, word for word")
struct GoldenTests {
  private func expect(
    _ place: Workplace, _ arguments: [String], prints expected: String, status: Int32 = 0,
    at location: SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await LakeProcess.run(LakeProcess.binary, arguments, in: place.folder)
    #expect(
      Scrubbed.text(outcome.stdout, in: place.folder) == expected, "\(outcome.stderr)",
      sourceLocation: location)
    #expect(outcome.status == status, sourceLocation: location)
  }

  @Test func `rows`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expect(
      place, ["scan", "shop.orders", "--format", "jsonl", "--where", "id < 4"],
      prints: """
        {"id":1,"name":"ann","price":"1.50","at":"2024-01-01T00:00:00.000000Z","tags":["a","b"],"part":"x"}
        {"id":2,"name":null,"price":null,"at":null,"tags":null,"part":"x"}
        {"id":3,"name":"say \\"hi\\", ok","price":"-0.05","at":"2024-02-29T23:59:59.500000Z","tags":[],"part":"y"}

        """)
    try await expect(
      place, ["scan", "shop.orders", "--format", "csv", "--where", "id >= 3 or id = 2"],
      prints: """
        id,name,price,at,tags,part
        2,,,,,x
        3,"say ""hi"", ok",-0.05,2024-02-29T23:59:59.500000Z,[],y
        4,"",1234567.89,1969-12-31T23:59:59.000000Z,"[""c""]",

        """)
    try await expect(
      place, ["scan", "shop.orders", "--format", "json", "--select", "id", "--where", "id <= 2"],
      prints: "[{\"id\":1},\n{\"id\":2}]\n")
    try await expect(
      place, ["scan", "shop.orders", "--format", "json", "--where", "id = 99"], prints: "[]\n")
    try await expect(
      place,
      [
        "scan", "shop.orders", "--format", "table", "--select", "id,name,price", "--where",
        "id < 4",
      ],
      prints: """
        id  name          price
        ──  ────────────  ─────
         1  ann            1.50
         2  NULL           NULL
         3  say "hi", ok  -0.05
        3 rows

        """)
  }

  @Test func `counts, names and schemas`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expect(place, ["count", "shop.orders", "--format", "table"], prints: "4\n")
    try await expect(
      place, ["count", "shop.orders", "--where", "part = 'x'", "--format", "json"],
      prints: "[{\"count\":2}]\n")
    try await expect(
      place, ["ls", "shop", "--format", "csv"], prints: "kind,name\ntable,shop.orders\n")
    try await expect(
      place, ["schema", "shop.orders", "--format", "table"],
      prints: """
        schema_id  field_id  name          type           required  key    doc   initial_default  write_default
        ─────────  ────────  ────────────  ─────────────  ────────  ─────  ────  ───────────────  ─────────────
                0         1  id            long           true      false  NULL  NULL             NULL
                0         2  name          string         false     false  NULL  NULL             NULL
                0         3  price         decimal(9, 2)  false     false  NULL  NULL             NULL
                0         4  at            timestamptz    false     false  NULL  NULL             NULL
                0         5  tags          list<string>   false     false  NULL  NULL             NULL
                0         7  tags.element  string         false     false  NULL  NULL             NULL
                0         6  part          string         false     false  NULL  NULL             NULL
        7 rows

        """)
  }

  @Test func `history`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expect(
      place, ["log", "shop.orders", "--format", "csv"],
      prints: """
        snapshot_id,parent_id,sequence_number,committed_at,operation,refs,added_rows,deleted_rows,added_files,removed_files,total_rows,schema_id
        ID,ID,2,TIME,append,"[""main""]",1,0,1,0,4,0
        ID,,1,TIME,append,[],3,0,2,0,3,0

        """)
    let outcome = try await place.lake("show", "shop.orders", "--format", "table")
    let lines = Scrubbed.text(outcome.stdout, in: place.folder).split(separator: "\n")
    #expect(lines.contains("operation        append"))
    #expect(lines.contains("refs             main"))
    #expect(lines.contains("                 total-records = 4"))
    let newest = try #require(
      try await place.lake("log", "shop.orders").rows.first?["snapshot_id"] as? Int64)
    let shown = try await place.lake("show", "shop.orders", "\(newest)")
    #expect(shown.stdout == (try await place.lake("show", "shop.orders", "main")).stdout)
  }

  @Test func `all about a table`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let outcome = try await place.lake("describe", "shop.orders", "--format", "table")
    let text = Scrubbed.text(outcome.stdout, in: place.folder)
    let head = text.components(separatedBy: "\n\n").first ?? ""
    let lines = head.split(separator: "\n").filter { !$0.hasPrefix("bytes ") }
    #expect(
      lines.joined(separator: "\n") == """
        table                shop.orders
        uuid                 UUID
        format_version       2
        location             DIR/warehouse/shop/orders
        metadata_location    DIR/warehouse/shop/orders/metadata/\(TestCatalog.metadataName(3))
        last_updated         TIME
        snapshots            2
        current_snapshot_id  ID
        rows                 4
        data_files           3
        delete_files         0
        partition_by         part
        sort_by              -
        key                  -
        refs                 main
        properties           owner = me
        """
        + TestCatalog.ownProperties.map { "\n                     \($0)" }.joined())
  }

  @Test func `files and partitions`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expect(
      place,
      [
        "inspect", "shop.orders", "files", "--format", "jsonl", "--select",
        "partition,record_count",
      ],
      prints: """
        {"partition":{"part":"x"},"record_count":2}
        {"partition":{"part":"y"},"record_count":1}
        {"partition":{"part":null},"record_count":1}

        """)
    try await expect(
      place,
      [
        "inspect", "shop.orders", "partitions", "--format", "csv", "--select",
        "partition,spec_id,record_count,file_count,position_delete_file_count",
      ],
      prints: """
        partition,spec_id,record_count,file_count,position_delete_file_count
        "{""part"":""x""}",0,2,1,0
        "{""part"":""y""}",0,1,1,0
        "{""part"":null}",0,1,1,0

        """)
    try await expect(
      place, ["inspect", "shop.orders", "refs", "--format", "jsonl"],
      prints: """
        {"name":"main","type":"BRANCH","snapshot_id":ID,"max_reference_age_in_ms":null,\
        "min_snapshots_to_keep":null,"max_snapshot_age_in_ms":null}

        """)
    let verified = try await place.lake("verify", "shop.orders", "--format", "table")
    #expect(
      verified.stdout.replacingOccurrences(
        of: "of [0-9]+ bytes", with: "of N bytes", options: .regularExpression)
        == "shop.orders: 2 snapshots, 2 manifests, 3 files of N bytes checked: all as told\n")
  }

  @Test func `the program itself`() async throws {
    let place = try Workplace()
    let version = try await place.lake("version", "--format", "table").stdout
    #expect(version.hasPrefix("lake "))
    #expect(try await place.lake("--version").stdout == version.dropFirst("lake ".count))
    for shell in ["bash", "zsh", "fish"] {
      let script = try await place.lake("completions", shell)
      #expect(script.status == 0 && script.stdout.contains("lake"), "\(shell)")
    }
    let help = try await place.lake("--help")
    #expect(help.status == 0 && help.stdout.contains("USAGE: lake <subcommand>"))
  }
}
