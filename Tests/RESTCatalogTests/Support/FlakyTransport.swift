// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Storage
import Synchronization

/// A real wire, on which some of the answers to commits are lost, by chance.
final class FlakyTransport: HTTPTransport {
  private let base: any HTTPTransport
  private let random: SeededRandom
  private let percent: Int
  private let count = Mutex(0)

  init(_ base: any HTTPTransport, percent: Int, _ random: SeededRandom) {
    self.base = base
    self.percent = percent
    self.random = random
  }

  /// How many answers were lost.
  var lostCount: Int { count.withLock { $0 } }

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    guard request.method == .post, request.target.contains("/tables/"), random.chance(percent)
    else { return try await base.send(request) }
    count.withLock { $0 += 1 }
    switch random.int(in: 0..<4) {
    case 0: throw .interrupted(reason: "lost before it came")
    case 1:
      _ = try await base.send(request)
      return Refusal(503, "Gateway", "lost after it was done").response
    case 2:
      _ = try await base.send(request)
      throw .timedOut(after: request.timeout, isSent: true)
    default:
      _ = try await base.send(request)
      throw .interrupted(reason: "lost after it was done")
    }
  }
}
