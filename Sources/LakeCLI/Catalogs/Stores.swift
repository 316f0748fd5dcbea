// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// The stores the command can reach.
enum Stores {
  /// The disk, which the configuration file is read from too.
  static let local: any ObjectStore = LocalStore()

  /// What the environment alone tells how to reach: for files and tables named by location.
  static let ofEnvironment: StoreRegistry = StoreRegistry(["file": local])

  /// What a catalog with these properties reaches.
  static func of(_ properties: [String: String]) throws -> StoreRegistry { ofEnvironment }
}
