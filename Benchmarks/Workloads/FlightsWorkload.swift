// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A year of real flights as JSON events, upserted by the `lake` command beside this program:
/// `BENCH_DATA/flight-events.jsonl`, a commit every `commit_rows`.
enum FlightsWorkload {
  @Sendable
  static func year(_ context: BenchContext) async throws -> Workloads.Metrics {
    let rows = context.optionalNumber("commit_rows") ?? 10_000
    let input = try context.input("flight-events.jsonl")
    let program = try Self.program()
    let arguments = [
      program, "upsert", "air.flights", input.path, "--warehouse", context.work.path, "--create",
      "--key", "time_hour,carrier,flight", "--order-by", "event_ts", "--partition-by",
      context.optionalText("partition_by") ?? "day(time_hour)", "--writer", "tower",
      "--source-offset", "--commit-rows", "\(rows)", "--commit-interval", "1h", "--quiet",
    ]
    let start = ContinuousClock.now
    let usage = try Self.run(program, arguments)
    let wall = start.duration(to: .now).seconds
    let catalog = FilesystemCatalog(warehouse: context.work, store: context.store)
    let table = try await catalog.loadTable(TableIdentifier("air.flights"))
    let count = Int(try await table.scan().count())
    var events: Int64 = 0
    for snapshot in table.metadata.snapshots {
      events += UpsertCounts(summary: snapshot.summary)?.received ?? 0
    }
    let left = try await context.writtenByteCount()
    try await context.cleanUp()
    return [
      ("wall_s", wall), ("cpu_s", usage.seconds), ("peak_rss_mb", usage.peakMegabytes),
      ("events", Double(events)), ("events_per_s", Double(events) / wall),
      ("written_mb", Double(left.bytes) / 1e6), ("files", Double(left.files)),
      ("rows_ok", count == 336_776 ? 1 : 0),
    ]
  }

  private static func program() throws -> String {
    var path = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &path, 4095)
    guard count > 0 else { throw BenchError.wrongResult("this program can't be found") }
    let own = String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/lake"
  }

  /// Runs `program` to its end.
  private static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (seconds: Double, peakMegabytes: Double) {
    var process = pid_t()
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe words.append(nil)
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    let code = unsafe posix_spawn(&process, program, &actions, nil, words, environ)
    unsafe posix_spawn_file_actions_destroy(&actions)
    for index in unsafe words.indices { unsafe free(words[index]) }
    guard code == 0 else { throw BenchError.wrongResult("\(program) can't be started") }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw BenchError.wrongResult("\(program) ended with \(status)") }
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    let seconds =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
    return (seconds, Double(usage.ru_maxrss) / 1e3)
  }
}
