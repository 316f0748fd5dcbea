// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import Testing

/// Vectors of the specification's Appendix B and of the reference implementation's tests.
@Suite("Transforms")
struct TransformTests {
  static let instant: Int64 = 1_510_871_468_000_000  // 2017-11-16T22:31:08
  static let uuid: [UInt8] = [
    0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85, 0xe7,
  ]

  @Test func `rule 1: bucket masks the sign bit`() {
    // The hash of the date is negative: |h| and h & max give different buckets.
    let hash: Int32 = -653_330_422
    #expect(BucketTransform.hash(17486 as Int64) == hash)
    #expect(BucketTransform.bucket(ofHash: hash, count: 100) == (hash & Int32.max) % 100)
    #expect(BucketTransform.bucket(ofHash: .min, count: 10) == 0)
    #expect(Transform.bucket(100).apply(to: .int(17486), of: .date) == .int(26))
  }

  @Test(arguments: [
    (Value.int(34), PrimitiveType.int, Int32(2_017_239_379)), (.long(34), .long, 2_017_239_379),
    (.int(1), .int, 1_392_991_556), (.long(1), .long, 1_392_991_556),
  ])
  func `rule 2: an int hashes as the long`(value: Value, type: PrimitiveType, hash: Int32) {
    #expect(value.bucketHash(as: type) == hash)
  }

  @Test func `rule 3: a decimal hashes as the fewest bytes of its unscaled value`() {
    #expect(Value.decimal(1420).bucketHash(as: .decimal(precision: 9, scale: 2)) == -500_754_589)
    #expect(Value.decimal(1420).bucketHash(as: .decimal(precision: 38, scale: 0)) == -500_754_589)
  }

  @Test func `rule 4: dates and times hash as eight bytes`() {
    #expect(Value.int(17486).bucketHash(as: .date) == -653_330_422)
    #expect(Value.long(81_068_000_000).bucketHash(as: .time) == -662_762_989)
  }

  @Test func `rule 5: timestamps hash as microseconds`() {
    for type in [PrimitiveType.timestamp, .timestamptz] {
      #expect(Value.long(Self.instant).bucketHash(as: type) == -2_047_944_441)
      #expect(Value.long(Self.instant + 1).bucketHash(as: type) == -1_207_196_810)
    }
  }

  @Test func `rule 6: nanoseconds hash as microseconds rounded down`() {
    for type in [PrimitiveType.timestampNs, .timestamptzNs] {
      #expect(Value.long(Self.instant * 1000).bucketHash(as: type) == -2_047_944_441)
      #expect(Value.long(Self.instant * 1000 + 1001).bucketHash(as: type) == -1_207_196_810)
      #expect(
        Value.long(-1).bucketHash(as: type) == Value.long(-1).bucketHash(as: .timestamp))
      #expect(
        Value.long(-1001).bucketHash(as: type) == Value.long(-2).bucketHash(as: .timestamp))
    }
  }

  @Test func `rule 7: strings, uuids and bytes hash as they are`() {
    #expect(Value.string("iceberg").bucketHash(as: .string) == 1_210_000_089)
    #expect(Value.bytes(Self.uuid).bucketHash(as: .uuid) == 1_488_055_340)
    #expect(Value.bytes([0, 1, 2, 3]).bucketHash(as: .fixed(4)) == -188_683_207)
    #expect(Value.bytes([0, 1, 2, 3]).bucketHash(as: .binary) == -188_683_207)
  }

  @Test func `rule 8: booleans and floats hash as defined, and are not bucketed`() {
    #expect(Value.boolean(true).bucketHash(as: .boolean) == 1_392_991_556)
    #expect(Value.float(1).bucketHash(as: .float) == -142_385_009)
    #expect(Value.double(1).bucketHash(as: .double) == -142_385_009)
    for zero in [0.0, -0.0] {
      #expect(Value.double(zero).bucketHash(as: .double) == 1_669_671_676)
      #expect(Value.float(Float(zero)).bucketHash(as: .float) == 1_669_671_676)
    }
    let payload = Double(bitPattern: 0xfff8_0000_0000_1234)
    #expect(BucketTransform.hash(payload) == BucketTransform.hash(0x7ff8_0000_0000_0000 as Int64))
    for type in [PrimitiveType.boolean, .float, .double, .variant, .geometry(crs: nil)] {
      #expect(!Transform.bucket(16).applies(to: type))
    }
    #expect(Transform.bucket(16).apply(to: .double(1), of: .double) == nil)
  }

  @Test(arguments: [(1, 0), (-1, -10), (-5, -10), (-10, -10), (-11, -20), (0, 0), (19, 10)])
  func `rule 9: integers are truncated downwards`(value: Int, expected: Int) {
    #expect(
      Transform.truncate(10).apply(to: .long(Int64(value)), of: .long) == .long(Int64(expected)))
    #expect(Transform.truncate(10).apply(to: .int(Int32(value)), of: .int) == .int(Int32(expected)))
  }

  @Test(arguments: [(50, 1065, 1050), (10, 1229, 1220), (10, 5, 0), (10, -5, -10)])
  func `rule 10: a decimal's unscaled value is truncated`(width: Int, value: Int, expected: Int) {
    let type = PrimitiveType.decimal(precision: 9, scale: 2)
    #expect(
      Transform.truncate(width).apply(to: .decimal(Int128(value)), of: type)
        == .decimal(Int128(expected)))
  }

  @Test(arguments: [
    ("iceberg", 3, "ice"), ("ab", 3, "ab"), ("", 3, ""), ("e\u{301}x", 1, "e"),
    ("\u{1F468}\u{200D}\u{1F469}x", 2, "\u{1F468}\u{200D}"), ("日本語", 2, "日本"),
  ])
  func `rule 11: strings are truncated to code points`(text: String, length: Int, expected: String)
  {
    #expect(Transform.truncate(length).apply(to: .string(text), of: .string) == .string(expected))
    let bytes = Buffer(utf8: text)
    #expect(
      TruncateTransform.prefixByteCount(utf8: bytes.bytes, length: length) == expected.utf8.count)
    #expect(
      Transform.truncate(2).apply(to: .bytes([1, 2, 3]), of: .binary) == .bytes([1, 2]))
  }

  @Test func `rule 12: times before 1970 are rounded down`() {
    for (type, value) in [(PrimitiveType.timestamp, Int64(-1_000_000)), (.timestampNs, -1)] {
      for transform in [Transform.year, .month, .day, .hour] {
        #expect(transform.apply(to: .long(value), of: type) == .int(-1), "\(transform) of \(type)")
      }
    }
    for transform in [Transform.year, .month, .day] {
      #expect(transform.apply(to: .int(-1), of: .date) == .int(-1))
    }
    let instant = Value.long(Self.instant)
    #expect(Transform.year.apply(to: instant, of: .timestamptz) == .int(47))
    #expect(Transform.month.apply(to: instant, of: .timestamptz) == .int(574))
    #expect(Transform.day.apply(to: instant, of: .timestamptz) == .int(17486))
    #expect(Transform.hour.apply(to: instant, of: .timestamptz) == .int(419_686))
    #expect(Transform.month.apply(to: .int(17486), of: .date) == .int(574))
  }

  @Test func `months and years agree with a calendar counted day by day`() {
    var (year, month, day): (Int32, Int32, Int32) = (1599, 1, 1)
    var days = Int32(-135_505)  // 1599-01-01
    while year < 2405 {
      #expect(TimeTransform.apply(Int64(days), .days, .year) == year - 1970)
      #expect(TimeTransform.apply(Int64(days), .days, .month) == (year - 1970) * 12 + month - 1)
      if day == 1, month == 1 {
        let text = Value.int(days).text(as: .date)
        #expect(text == "\(year)-01-01")
      }
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let lengths: [Int32] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      days += 1
      day += 1
      if day > lengths[Int(month) - 1] { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
  }

  @Test func `rule 14: days are dates, the other times ints`() {
    #expect(Transform.day.resultType(of: .timestamp) == .date)
    for transform in [Transform.year, .month, .hour, .bucket(4)] {
      #expect(transform.resultType(of: .timestamp) == .int)
    }
    #expect(Transform.truncate(4).resultType(of: .string) == .string)
  }

  @Test func `rule 15: null stays null, and void is always null`() {
    let all: [Transform] = [
      .identity, .bucket(4), .truncate(4), .year, .month, .day, .hour, .void, .unknown("x"),
    ]
    for transform in all { #expect(transform.apply(to: nil, of: .timestamp) == nil) }
    #expect(Transform.void.apply(to: .int(1), of: .int) == nil)
    for type in [PrimitiveType.geometry(crs: nil), .geography(crs: nil, algorithm: nil), .variant] {
      #expect(!Transform.identity.applies(to: type))
      #expect(Transform.void.applies(to: type))
    }
  }

  @Test func `whole columns are transformed as single values are`() {
    let values: [Int64] = [0, 1, -1, 34, Self.instant, -Self.instant, .max, .min, 999, -1000]
    var output = [Int32](repeating: 0, count: values.count)
    func check(_ transform: Transform, _ type: PrimitiveType) {
      for (i, value) in values.enumerated() {
        #expect(transform.apply(to: .long(value), of: type) == .int(output[i]))
      }
    }
    var span = output.mutableSpan
    BucketTransform.apply(values.span, count: 16, into: &span)
    check(.bucket(16), .long)
    span = output.mutableSpan
    BucketTransform.apply(nanoseconds: values.span, count: 16, into: &span)
    check(.bucket(16), .timestampNs)
    for (transform, granularity) in [
      (Transform.year, TimeTransform.Granularity.year), (.month, .month), (.day, .day),
      (.hour, .hour),
    ] {
      span = output.mutableSpan
      TimeTransform.apply(values.span, .microseconds, granularity, into: &span)
      check(transform, .timestamp)
      span = output.mutableSpan
      TimeTransform.apply(values.span, .nanoseconds, granularity, into: &span)
      check(transform, .timestampNs)
    }
  }

  @Test func `an order is satisfied by the transforms that keep it`() {
    #expect(Transform.identity.satisfiesOrder(of: .truncate(4)))
    #expect(Transform.identity.satisfiesOrder(of: .day))
    #expect(!Transform.identity.satisfiesOrder(of: .bucket(4)))
    #expect(Transform.hour.satisfiesOrder(of: .day))
    #expect(Transform.day.satisfiesOrder(of: .year))
    #expect(!Transform.month.satisfiesOrder(of: .day))
    #expect(Transform.bucket(4).satisfiesOrder(of: .bucket(4)))
    #expect(!Transform.bucket(8).satisfiesOrder(of: .bucket(4)))
  }

  @Test func `rule 104: a partition's folders are its names and human values`() throws {
    let schema = try Schema(
      "ts timestamptz, s string, b binary, d decimal(9,2), t timestamp, u uuid, i int")
    let spec = try PartitionSpec(
      "hour(ts), s, b, d, t, u, bucket(4, i) as \"i b\"", schema: schema)
    #expect(
      spec.path(
        for: [
          .int(419_686), .string("a/b c=é"), .bytes([1, 2, 3, 255]), .decimal(-5),
          .long(Self.instant + 120_000), .bytes(Self.uuid), nil,
        ], schema: schema)
        == "ts_hour=2017-11-16-22/s=a%2Fb+c%3D%C3%A9/b=AQID%2Fw%3D%3D/d=-0.05"
        + "/t=2017-11-16T22%3A31%3A08.120/u=f79c3e09-677c-4bbd-a479-3f349cb785e7/i+b=null")
    #expect(Transform.year.humanText(of: .int(-1), source: .timestamp) == "1969")
    #expect(Transform.month.humanText(of: .int(-1), source: .timestamp) == "1969-12")
    #expect(Transform.day.humanText(of: .int(-1), source: .timestamp) == "1969-12-31")
    #expect(Transform.hour.humanText(of: .int(-1), source: .timestamp) == "1969-12-31-23")
    #expect(
      Transform.identity.humanText(of: .long(Self.instant), source: .timestamptz)
        == "2017-11-16T22:31:08Z")
  }
}
