// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOHTTP1
internal import Storage

/// The last step before the wire: takes a request's ticket, and puts the target in its place.
///
/// It also catches the reply of a server that refuses a request before it has all of its body (412
/// to a conditional write, 403): the client below would wait for an end of the body that never
/// comes. Such a connection is closed.
final class TicketCheck: ChannelDuplexHandler {
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart

  private let tickets: TicketOffice
  private var isClosed = false
  /// Of the request whose body is being sent.
  private var sending: Ticket?
  private var early: ReplyBuilder?

  private init(_ tickets: TicketOffice) { self.tickets = tickets }

  /// Puts a check between the client and what makes bytes of its requests.
  static func add(to channel: any Channel, _ tickets: TicketOffice) -> EventLoopFuture<Void> {
    channel.eventLoop.submit {
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
      try pipeline.addHandler(TicketCheck(tickets), position: .after(decoder))
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isClosed else { return refuse(context, promise) }
    switch unwrapOutboundIn(data) {
    case .head(var head):
      guard let id = head.headers.first(name: TicketOffice.header),
        let ticket = tickets.ticket(id), ticket.take()
      else { return refuse(context, promise) }
      head.headers.remove(name: TicketOffice.header)
      head.uri = ticket.request.target
      sending = ticket
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      if early == nil { sending = nil }
      context.write(data, promise: promise)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let ticket = sending else { return context.fireChannelRead(data) }
    do throws(HTTPTransportError) {
      switch unwrapInboundIn(data) {
      case .head(let head) where early == nil && head.status.code < 300:
        return context.fireChannelRead(data)
      case .head(let head):
        var builder = ReplyBuilder(for: ticket.request)
        try builder.begin(head)
        early = consume builder
      case .body(let part):
        guard early != nil else { return context.fireChannelRead(data) }
        try early?.append(part)
      case .end:
        guard let builder = early.take() else { return context.fireChannelRead(data) }
        end(context, .success(builder.finish()), ticket)
      }
      context.read()
    } catch {
      end(context, .failure(error), ticket)
    }
  }

  private func end(
    _ context: ChannelHandlerContext, _ reply: Result<HTTPResponse, HTTPTransportError>,
    _ ticket: Ticket
  ) {
    ticket.early = reply
    sending = nil
    isClosed = true
    context.close(promise: nil)
  }

  private func refuse(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    isClosed = true
    promise?.fail(ChannelError.ioOnClosedChannel)
    context.close(promise: nil)
  }
}
