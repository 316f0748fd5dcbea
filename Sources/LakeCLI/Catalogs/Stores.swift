// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if Network
  internal import Network
  internal import S3Storage
#endif

/// The stores the command can reach: the disk, and S3 where it was built with the trait `Network`.
enum Stores {
  /// The disk, which the configuration file is read from too.
  static let local: any ObjectStore = LocalStore()

  #if Network
    /// One for the process, so that connections are used again. It opens none by itself.
    static let transport = NetworkTransport()
  #endif

  /// Stores that reach `location`, and others if the settings allow: those of `properties` (by
  /// Iceberg's names), and what they leave out, of the environment.
  static func reaching(
    _ location: ObjectPath, _ properties: [String: String] = [:]
  ) throws -> StoreRegistry {
    let stores = StoreRegistry(["file": local])
    #if Network
      do {
        let s3 = try S3Store.make(properties: properties, transport: transport)
        return stores.adding(s3, for: "s3")
      } catch {
        // Settings of S3 that make no sense are no matter to a table on a disk.
        guard location.scheme == "file" else { throw error }
      }
    #endif
    return stores
  }
}
