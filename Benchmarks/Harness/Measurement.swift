// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What one timed part of a workload cost: wall clock, processor time, and memory at its peak.
///
/// The names and units are those the peers report, so that a run of both can be put side by side.
struct Measurement {
  var wallSeconds = 0.0
  var processorSeconds = 0.0
  /// The process's high-water mark from the start of the timed part.
  var peakBytes = 0
  /// How far that lies above what was resident at the start.
  var growthBytes = 0

  /// Runs `body` and measures it.
  static func of(_ body: () async throws -> Void) async throws -> Measurement {
    resetHighWaterMark()
    let residentBefore = ProcessMemory.read("VmRSS:")
    let processorBefore = processorSecondsNow()
    let start = ContinuousClock.now
    try await body()
    var measurement = Measurement()
    let elapsed = start.duration(to: .now).components
    measurement.wallSeconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    measurement.processorSeconds = processorSecondsNow() - processorBefore
    measurement.peakBytes = ProcessMemory.read("VmHWM:")
    measurement.growthBytes = max(0, measurement.peakBytes - residentBefore)
    return measurement
  }

  /// The metrics called TIMED in the benchmark contract.
  var metrics: [(String, Double)] {
    [
      ("wall_s", wallSeconds), ("cpu_s", processorSeconds),
      ("peak_rss_mb", Double(peakBytes) / 1e6), ("rss_growth_mb", Double(growthBytes) / 1e6),
    ]
  }

  /// What the process has taken of its processors.
  static func processorSecondsNow() -> Double {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) * 1e-6
    return user + Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) * 1e-6
  }

  private static func resetHighWaterMark() {
    guard let file = unsafe fopen("/proc/self/clear_refs", "w") else { return }
    unsafe fputs("5", file)
    unsafe fclose(file)
  }
}

/// The process's memory, as Linux tells it.
enum ProcessMemory {
  /// A line of /proc/self/status in bytes; 0 where there is no such file.
  static func read(_ key: String) -> Int {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
      let text = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      guard text.starts(with: key.utf8) else { continue }
      let digits = text.filter { (48...57).contains($0) }
      return (Int(String(decoding: digits, as: UTF8.self)) ?? 0) * 1024
    }
    return 0
  }
}

/// Latencies of repeated operations, in seconds.
struct Latencies {
  var seconds: [Double] = []

  /// The latency that `share` of all are at or below.
  func percentile(_ share: Double) -> Double {
    let sorted = seconds.sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }

  /// The mean of some of them; 0 of none.
  func mean(of seconds: ArraySlice<Double>) -> Double {
    seconds.isEmpty ? 0 : seconds.reduce(0, +) / Double(seconds.count)
  }

  /// The metrics called LAT in the benchmark contract.
  var metrics: [(String, Double)] {
    let mean = mean(of: seconds[...])
    return [
      ("p50_ms", percentile(0.5) * 1e3), ("p99_ms", percentile(0.99) * 1e3),
      ("mean_ms", mean * 1e3), ("n", Double(seconds.count)),
    ]
  }
}
