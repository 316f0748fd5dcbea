// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Testing

/// Inputs that fuzzing saved, run again through the same functions.
///
/// `Fixtures/fuzz/<target>/` has what it found to reach the most code, and whatever broke a law once.
@Suite("Saved fuzz inputs")
struct ReplayTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `every saved input and every seed keeps the laws of its target`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    var inputs = try target.seeds().enumerated().map { ("seed \($0)", $1) }
    for file in FuzzFiles.files(under: FuzzFiles.saved.appending(path: name)) {
      inputs.append((file.lastPathComponent, Buffer([UInt8](try Data(contentsOf: file)))))
    }
    for (input, bytes) in inputs {
      let start = FuzzDriver.processorTime()
      do throws(BrokenLaw) { try target.run(bytes) } catch {
        Issue.record("\(name), \(input): \(error)")
      }
      let time = FuzzDriver.processorTime() - start
      #expect(time < 5, "\(name), \(input): \(time) s")
    }
  }

  @Test func `every folder of saved inputs is a target's`() throws {
    let names = Set(FuzzTarget.all.map(\.name))
    #expect(names.count == FuzzTarget.all.count)
    let folders = try? FileManager.default.contentsOfDirectory(atPath: FuzzFiles.saved.path)
    for folder in folders ?? [] { #expect(names.contains(folder), "\(folder)") }
  }
}
