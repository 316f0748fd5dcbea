// SPDX-License-Identifier: Apache-2.0
import Storage
import Testing

@Suite("Timestamps")
struct TimestampTests {
  /// Moments as `date -u` and Python's `datetime` print them.
  static let known: [(Int64, String)] = [
    (0, "1970-01-01T00:00:00.000000Z"),
    (-1, "1969-12-31T23:59:59.999999Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
    (1_790_066_096_789_012, "2026-09-22T08:34:56.789012Z"),
    (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    (-2_208_988_800_000_000, "1900-01-01T00:00:00.000000Z"),
  ]

  @Test func `known moments are written and read`() {
    for (microseconds, text) in Self.known {
      let moment = Timestamp(microseconds: microseconds)
      #expect(moment.description == text)
      #expect(Timestamp(rfc3339: text) == moment, "\(text)")
    }
  }

  @Test func `every day of three centuries follows the one before`() {
    var expected = (year: 1790, month: 1, day: 1)
    guard let first = Timestamp(rfc3339: "1790-01-01T00:00:00Z") else {
      Issue.record("unreadable")
      return
    }
    var moment = first
    while expected.year < 2110 {
      let (y, m, d) = expected
      let text = "\(y)-\(m < 10 ? "0" : "")\(m)-\(d < 10 ? "0" : "")\(d)T00:00:00Z"
      guard moment.formatted(.seconds) == text, Timestamp(rfc3339: text) == moment else {
        Issue.record("\(text) against \(moment)")
        return
      }
      let isLeap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)
      let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      expected.day += 1
      if expected.day > lengths[m - 1] { expected = (y, m + 1, 1) }
      if expected.month > 12 { expected = (y + 1, 1, 1) }
      moment = moment.adding(.seconds(86_400))
    }
  }

  @Test func `precision cuts and never rounds up`() {
    let moment = Timestamp(microseconds: 1_999_999)
    #expect(moment.formatted(.seconds) == "1970-01-01T00:00:01Z")
    #expect(moment.formatted(.milliseconds) == "1970-01-01T00:00:01.999Z")
    #expect(moment.milliseconds == 1999)
    #expect(Timestamp(microseconds: -1).milliseconds == -1)
    #expect(Timestamp(rfc3339: "1970-01-01T00:00:00.1234569Z")?.microseconds == 123_456)
  }

  @Test func `offsets and leap seconds are applied`() {
    #expect(Timestamp(rfc3339: "1970-01-01T02:00:00+02:00") == .epoch)
    #expect(Timestamp(rfc3339: "1969-12-31 18:30:00-05:30") == .epoch)
    #expect(Timestamp(rfc3339: "1969-12-31t23:59:60z") == .epoch)
  }

  @Test(arguments: [
    "", "1970", "1970-01-01", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z",
    "1970-02-29T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
    "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx",
    "1970-01-01T00:00:00+2:00", "+1970-01-01T00:00:00Z", "1970-01-01T00:00:00+24:00",
  ])
  func `what is no moment is refused`(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `the ends of the range neither trap nor wrap`() {
    for microseconds in [Int64.min, .max] {
      let moment = Timestamp(microseconds: microseconds)
      #expect(!moment.description.isEmpty)
      _ = moment.milliseconds
    }
    #expect(Timestamp(microseconds: .max).adding(.seconds(1)).microseconds == .max)
    #expect(Timestamp(microseconds: .min).adding(.seconds(-1)).microseconds == .min)
    #expect(Timestamp(milliseconds: .max).microseconds == .max)
    #expect(Timestamp.epoch.adding(.seconds(Int64.max)).microseconds == .max)
    #expect(Timestamp(microseconds: 5).since(Timestamp(microseconds: 2)) == .microseconds(3))
  }
}
