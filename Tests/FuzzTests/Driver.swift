// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation

// What libFuzzer calls. Tools/fuzz links this file and the targets with its main function; in the
// tests nothing calls it.

/// The target that `LAKE_FUZZ_TARGET` names; with `LAKE_FUZZ_SEEDS`, writes its seeds there and ends.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzerInitialize(
  _ count: UnsafeMutablePointer<Int32>?, _ arguments: UnsafeMutableRawPointer?
) -> Int32 {
  let environment = ProcessInfo.processInfo.environment
  let name = environment["LAKE_FUZZ_TARGET"] ?? ""
  if name == "list" {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
  }
  guard let target = FuzzTarget.named(name) else { end("no target '\(name)'") }
  if let folder = environment["LAKE_FUZZ_SEEDS"] {
    do { try writeSeeds(of: target, to: URL(filePath: folder)) } catch { end("\(error)") }
    exit(0)
  }
  FuzzDriver.target = target
  // Only the address sanitizer's allocator has the hooks; without it, executions are faster.
  if !AllocationMeter.install() { print("fuzz: memory is not metered") }
  return 0
}

private func writeSeeds(of target: FuzzTarget, to folder: URL) throws {
  for (i, seed) in try target.seeds().enumerated() {
    try Data(seed.array()).write(to: folder.appending(path: "seed-\(i)"))
  }
  for file in FuzzFiles.all where target.files.contains(where: { file.path.hasSuffix($0) }) {
    let data = try Data(contentsOf: file)
    if data.count <= 16384 { try data.write(to: folder.appending(path: file.lastPathComponent)) }
  }
}

private func end(_ reason: String) -> Never {
  FileHandle.standardError.write(Data("fuzz: \(reason)\n".utf8))
  exit(2)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzerTestOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let target = FuzzDriver.target else { return 0 }
  let input = Buffer(
    copying: RawSpan(
      _unsafeStart: UnsafeRawPointer(data ?? emptyInput), byteCount: data == nil ? 0 : count))
  AllocationMeter.start()
  let start = FuzzDriver.processorTime()
  do throws(BrokenLaw) { try target.run(input) } catch { fail("\(target.name): \(error)") }
  let time = FuzzDriver.processorTime() - start
  if time > 1 { fail("\(target.name): \(time) s for \(count) bytes") }
  let limit = 64 * count + 32 << 20
  let peak = AllocationMeter.peak
  if peak > limit { fail("\(target.name): \(peak) bytes taken for \(count), over \(limit)") }
  return 0
}

nonisolated(unsafe) private let emptyInput = UnsafePointer<UInt8>(bitPattern: 8)!

/// Ends the process as libFuzzer expects a finding to: it saves the input.
private func fail(_ reason: String) -> Never {
  FileHandle.standardError.write(Data("BROKEN LAW: \(reason)\n".utf8))
  abort()
}

enum FuzzDriver {
  nonisolated(unsafe) static var target: FuzzTarget?

  static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// Counts the bytes that are allocated at a time, by the hooks of the address sanitizer's allocator.
enum AllocationMeter {
  private typealias Malloc = @convention(c) (UnsafeRawPointer?, Int) -> Void
  private typealias Free = @convention(c) (UnsafeRawPointer?) -> Void
  private typealias Install = @convention(c) (Malloc, Free) -> Int32
  private typealias Size = @convention(c) (UnsafeRawPointer?) -> Int

  nonisolated(unsafe) private static var live = 0
  nonisolated(unsafe) static var peak = 0
  nonisolated(unsafe) private static var size: Size?

  static func start() {
    live = 0
    peak = 0
  }

  static func install() -> Bool {
    let program = dlopen(nil, RTLD_NOW)
    guard let install = dlsym(program, "__sanitizer_install_malloc_and_free_hooks"),
      let allocatedSize = dlsym(program, "__sanitizer_get_allocated_size")
    else { return false }
    size = unsafeBitCast(allocatedSize, to: Size.self)
    let hook = unsafeBitCast(install, to: Install.self)
    return hook(
      { _, count in AllocationMeter.add(count) },
      { pointer in AllocationMeter.remove(pointer) }) != 0
  }

  private static func add(_ count: Int) {
    live &+= count
    if live > peak { peak = live }
  }

  private static func remove(_ pointer: UnsafeRawPointer?) {
    if let pointer, let size { live &-= size(pointer) }
  }
}
