// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Storage
internal import Synchronization

/// Takes a reply from the client below, part by part.
final class ReplyCollector: HTTPClientResponseDelegate {
  typealias Response = HTTPResponse

  private struct State: ~Copyable {
    var builder: ReplyBuilder?
  }

  private let state: Mutex<State>

  init(for request: HTTPRequest) {
    state = Mutex(State(builder: ReplyBuilder(for: request)))
  }

  func didReceiveHead(
    task: HTTPClient.Task<HTTPResponse>, _ head: HTTPResponseHead
  ) -> EventLoopFuture<Void> {
    state.withLock { state in
      do throws(HTTPTransportError) {
        try state.builder?.begin(head)
        return task.eventLoop.makeSucceededVoidFuture()
      } catch {
        return task.eventLoop.makeFailedFuture(error)
      }
    }
  }

  func didReceiveBodyPart(
    task: HTTPClient.Task<HTTPResponse>, _ part: ByteBuffer
  ) -> EventLoopFuture<Void> {
    state.withLock { state in
      do throws(HTTPTransportError) {
        try state.builder?.append(part)
        return task.eventLoop.makeSucceededVoidFuture()
      } catch {
        return task.eventLoop.makeFailedFuture(error)
      }
    }
  }

  func didFinishRequest(task: HTTPClient.Task<HTTPResponse>) throws -> HTTPResponse {
    try state.withLock { state in
      guard let builder = state.builder.take() else {
        throw HTTPTransportError.malformedReply(reason: "it ends twice")
      }
      return builder.finish()
    }
  }
}
