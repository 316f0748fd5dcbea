// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// `lake-bench WORKLOAD THREADS PARAMS_JSON`: runs one workload once, and prints its metrics as one
/// JSON object on the last line.
///
/// Inputs are found under `BENCH_DATA`, scratch files go under `BENCH_WORK`. What is timed is what
/// the peers time; loading inputs is not.
@main
enum LakeBench {
  static func main() async {
    do {
      let arguments = CommandLine.arguments
      guard arguments.count == 4, let threads = Int(arguments[2]), threads > 0 else {
        throw BenchError.usage("lake-bench WORKLOAD THREADS PARAMS_JSON")
      }
      let context = try BenchContext(threads: threads, parameters: arguments[3])
      guard let workload = Workloads.all[arguments[1]] else {
        let known = Workloads.all.keys.sorted().joined(separator: ", ")
        throw BenchError.usage("no workload \(arguments[1]); there are: \(known)")
      }
      print(try metrics(try await workload(context)))
    } catch {
      StandardErrorLine.write("lake-bench: \(error)")
      exit(1)
    }
  }

  private static func metrics(_ values: [(String, Double)]) throws -> String {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in values {
      writer.writeKey(name)
      try writer.write(value)
    }
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }
}

enum BenchError: Error, CustomStringConvertible {
  case usage(String)
  case wrongResult(String)

  var description: String {
    switch self {
    case .usage(let text): "usage: \(text)"
    case .wrongResult(let text): "wrong result: \(text)"
    }
  }
}

enum StandardErrorLine {
  static func write(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { bytes in
      _ = unsafe Glibc.write(2, bytes.baseAddress, bytes.count)
    }
  }
}
