// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension SummarySource {
  var values: [String: String] {
    switch self {
    case .values(let values): values
    case .encoded: [:]
    }
  }
}
