// SPDX-License-Identifier: Apache-2.0
internal import KeyIndexing

/// The live rows that a table has of some keys.
struct KeyMatches: Sendable {
  private let places: KeyPlaces
  /// The order values of ``places``, where the index does not have them all; nil for a null.
  private let orders: [OrderValue?]?
  /// False if rows are ordered by arrival alone.
  private let isOrdered: Bool

  init(_ places: KeyPlaces, orders: [OrderValue?]?, isOrdered: Bool) {
    self.places = places
    self.orders = orders
    self.isOrdered = isOrdered
  }

  /// All live rows of the key at `key`.
  subscript(key: Int) -> ArraySlice<KeyPlace> { places[key] }

  /// The newest live row of the key, and its order value; nil if there is none.
  func newest(_ key: Int) -> (place: KeyPlace, order: OrderValue?)? {
    let rows = places[key]
    guard var newest = rows.indices.first else { return nil }
    guard let orders else {
      let order = isOrdered ? rows[newest].order : nil
      return (rows[newest], order.map { OrderValue(number: $0) })
    }
    for index in rows.indices.dropFirst() {
      guard let order = orders[index] else { continue }
      if orders[newest].map({ $0 < order }) ?? true { newest = index }
    }
    return (rows[newest], orders[newest])
  }
}

extension KeyedEntry {
  /// True if the table has a newer row of the key.
  func isLate(_ newest: (place: KeyPlace, order: OrderValue?)?) -> Bool {
    guard isOrdered, let order = newest?.order else { return false }
    return self.order < order
  }
}
