// SPDX-License-Identifier: Apache-2.0
internal import Storage
internal import Synchronization

/// Decides, once, whether a request is written to a connection or given up.
///
/// The client below says that a request failed, not whether it had been written: it may fail in the
/// queue, or while another thread is about to write it. So each request carries a ticket. The last
/// step before the wire takes it; who gives up before that tears it, and what comes later is not
/// written any more.
final class Ticket: Sendable {
  let id: String
  let request: HTTPRequest

  private enum Fate { case open, taken, torn }

  private struct State {
    var fate = Fate.open
    var early: Result<HTTPResponse, HTTPTransportError>?
  }

  private let state = Mutex(State())

  init(id: String, request: HTTPRequest) {
    self.id = id
    self.request = request
  }

  /// True if the request may be written: nobody gave it up.
  func take() -> Bool { settle(.taken) }

  /// True if the request will never be written.
  func abandon() -> Bool { settle(.torn) }

  private func settle(_ wanted: Fate) -> Bool {
    state.withLock { state in
      if state.fate == .open { state.fate = wanted }
      return state.fate == wanted
    }
  }

  /// What the server said before all of the request's body was sent; nil if it did not.
  var early: Result<HTTPResponse, HTTPTransportError>? {
    get { state.withLock { $0.early } }
    set { state.withLock { $0.early = newValue } }
  }
}

/// The tickets of the requests under way.
final class TicketOffice: Sendable {
  /// A header that is on no wire.
  static let header = "lake-ticket"

  private struct State {
    var issued: UInt64 = 0
    var open: [String: Ticket] = [:]
  }

  private let state = Mutex(State())

  func issue(for request: HTTPRequest) -> Ticket {
    state.withLock { state in
      state.issued += 1
      let ticket = Ticket(id: String(state.issued), request: request)
      state.open[ticket.id] = ticket
      return ticket
    }
  }

  func withdraw(_ ticket: Ticket) { state.withLock { $0.open[ticket.id] = nil } }

  func ticket(_ id: String) -> Ticket? { state.withLock { $0.open[id] } }
}
