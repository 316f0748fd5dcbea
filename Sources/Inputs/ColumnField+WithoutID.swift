// SPDX-License-Identifier: Apache-2.0
internal import Columnar

extension ColumnField {
  /// The same field and those in it without ids.
  var withoutID: ColumnField {
    var field = self
    field.fieldID = nil
    switch type {
    case .structure(let fields): field.type = .structure(fields.map(\.withoutID))
    case .list(let element): field.type = .list(element.withoutID)
    case .map(let key, let value): field.type = .map(key: key.withoutID, value: value.withoutID)
    default: break
    }
    return field
  }
}
