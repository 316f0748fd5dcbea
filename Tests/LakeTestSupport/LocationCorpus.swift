// SPDX-License-Identifier: Apache-2.0
import Storage

/// Locations that a table's metadata may name, most of them to get somewhere else.
public struct LocationCase: Sendable, CustomStringConvertible {
  /// What becomes of a location.
  public enum Verdict: Sendable {
    /// It is the table's own.
    case inside
    /// It is a place, and not the table's.
    case outside
    /// It is no location.
    case invalid
  }

  public let text: String
  public let verdict: Verdict
  /// The table that names it.
  public let home: String

  public init(text: String, verdict: Verdict, home: String) {
    self.text = text
    self.verdict = verdict
    self.home = home
  }

  public var description: String { "\(text.debugDescription) of \(home)" }

  /// Those of a table in a bucket.
  public static let ofBucket = cases("s3://bucket/wh/db/t", bucket)
  /// Those of a table on a disk.
  public static let ofDisk = cases("/wh/db/t", disk)
  /// All of them.
  public static let all = ofBucket + ofDisk

  private static func cases(
    _ home: String, _ groups: [(Verdict, [String])]
  ) -> [LocationCase] {
    groups.flatMap { verdict, texts in
      texts.map { LocationCase(text: $0, verdict: verdict, home: home) }
    }
  }

  private static let bucket: [(Verdict, [String])] = [
    (
      .inside,
      [
        "s3://bucket/wh/db/t/data/a.parquet", "s3a://bucket/wh/db/t/data/a",
        "S3://bucket/wh/db/t/x",
        "s3n://bucket/wh/db/t/x", "s3://bucket/wh/db/t/%2e%2e/x", "s3://bucket/wh/db/t/..x",
        "s3://bucket/wh/db/t/x..", "s3://bucket/wh/db/t/a%2F..%2F..%2Fb",
        "s3://bucket/wh/db/t/~root",
        "s3://bucket/wh/db/t/a b+c=d", "s3://bucket/wh/db/t//x", "s3://bucket/wh/db/t/k=\u{202e}x",
      ]
    ),
    (
      .outside,
      [
        // Neighbours whose names begin alike, and what lies above.
        "s3://bucket/wh/db/t2/data/a", "s3://bucket/wh/db/t.bak/a", "s3://bucket/wh/db/t%2Fa",
        "s3://bucket/wh/db/T/a", "s3://bucket/wh/db", "s3://bucket/wh", "s3://bucket",
        "s3://bucket/",
        "s3://bucket//wh/db/t/a", "s3://bucket/wh//db/t/a", "s3://bucket/wh/db/t%00/a",
        "s3://bucket/wh/db/u/a", "s3://bucket/wh/db/t ", "s3://bucket/wh/db/ t/a",
        // Other buckets, and look-alikes of ours.
        "s3://other/wh/db/t/a", "s3://bucket2/wh/db/t/a", "s3://Bucket/wh/db/t/a",
        "s3://bucket.evil.net/wh/db/t/a", "s3://bucket:80/wh/db/t/a", "s3://user@bucket/wh/db/t/a",
        "s3:///bucket/wh/db/t/a", "s3://b\u{443}cket/wh/db/t/a",
        "s3://bucket%2F..%2Fother/wh/db/t/a",
        "s3://bucket\u{ff0f}wh/db/t/a", "s3://bucket/wh/db/\u{ff54}/a", "s3://bucket?/wh/db/t/a",
        "s3://bucket#/wh/db/t/a", "s3:/bucket/wh/db/t/a",
        // Other schemes, this machine and its neighbours.
        "/etc/passwd", "file:/etc/passwd", "file:///etc/passwd", "file://bucket/wh/db/t/a",
        "/bucket/wh/db/t/a", "FILE:///proc/self/environ",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest", "http://bucket/wh/db/t/a", "http://[::1]:9000/wh/db/t/a",
        "http://localhost:9200/_search", "gopher://bucket/wh/db/t/a", "ftp://bucket/wh/db/t/a",
        "gs://bucket/wh/db/t/a", "abfss://bucket/wh/db/t/a", "hdfs://bucket/wh/db/t/a",
        "s3x://bucket/wh/db/t/a", "s3+http://bucket/wh/db/t/a",
        "memory://bucket/wh/db/t/a", "data:/a", "javascript:/a", "//bucket/wh/db/t/a",
      ]
    ),
    (
      .invalid,
      [
        "", "a", "wh/db/t/a", "./a", "../a", "s3:", "s3://", "s3:a", "s3://bucket/wh/db/t/../u/a",
        "s3://bucket/wh/db/t/./a", "s3://bucket/wh/db/t/..", "s3://bucket/wh/db/t/data/../../../x",
        "s3://bucket/../other/a", "s3://bucket/wh/db/t/a\u{0}b", "s3://bucket/wh/db/t/a\nb",
        "s3://bucket/wh/db/t/a\r\nHost: x", "s3://bucket/wh/db/t/a\u{7f}",
        "s3://bucket/wh/db/t/a\tb",
        "s3://bucket/wh/db/t\\..\\u", "s3://bucket/wh/db/t/\\\\server\\share",
        "s3://user:secret@bucket/wh/db/t/a", "https://user:secret@host/a", "bucket:wh/db/t/a",
        "jar:file:/etc/passwd",
        "s3://bucket/wh/db/t/" + String(repeating: "a", count: 5000),
        " s3://bucket/wh/db/t/../a",
      ]
    ),
  ]

  private static let disk: [(Verdict, [String])] = [
    (
      .inside,
      [
        "/wh/db/t/data/a", "file:/wh/db/t/data/a", "file:///wh/db/t/a",
        "file://localhost/wh/db/t/a",
        "//wh/db/t/a", "/wh//db///t/a", "/wh/db/t/%2e%2e/a", "/wh/db/t/...", "FILE:/wh/db/t/a",
        "/wh/db/t/~",
      ]
    ),
    (
      .outside,
      [
        "/wh/db/t2/a", "/wh/db/t.a", "/wh/db", "/wh", "/", "/wh/db/T/a", "/wh/db/\u{442}/a",
        "/etc/passwd", "file:/etc/shadow", "/proc/self/mem", "/dev/zero", "/root/.ssh/id_rsa",
        "/wh%2Fdb%2Ft/a", "file://host/wh/db/t/a", "file://127.0.0.1/wh/db/t/a",
        "file://user@localhost/wh/db/t/a", "s3://wh/db/t/a", "s3:///wh/db/t/a", "memory:/wh/db/t/a",
        "http://localhost/wh/db/t/a", "http://169.254.169.254/wh/db/t/a", "hdfs:///wh/db/t/a",
        "/wh/db/t\u{301}/a", "/wh/db/ t/a",
      ]
    ),
    (
      .invalid,
      [
        "/wh/db/t/../u/a", "/wh/db/t/..", "file:/wh/db/t/../../../etc/passwd", "/wh/db/t/./a",
        "../../etc/passwd", "file:etc/passwd", "~/a", "C:\\a", "\\\\server\\share",
        "/wh/db/t/a\u{0}",
        "/wh/db/t/a\u{1b}[2J", "%2Fetc%2Fpasswd", "file:", "file://",
      ]
    ),
  ]
}
