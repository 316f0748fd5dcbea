// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How thorough tests are to be.
public enum Depth {
  /// True with `LAKE_DEPTH=long`: every case where there are some of them else, and many more rounds
  /// of what is drawn by chance.
  public static let isLong = getenv("LAKE_DEPTH").map { String(cString: $0) } == "long"
}
