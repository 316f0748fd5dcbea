// SPDX-License-Identifier: Apache-2.0
internal import Network
public import Storage

extension S3Store {
  /// A store as `properties` describe it: those of `S3Options`, and for who asks
  /// `s3.access-key-id`, `s3.secret-access-key`, `s3.session-token`, or `s3.anonymous`.
  ///
  /// - Parameters:
  ///   - signing: who proves who asks; nil for the keys in `properties`.
  ///   - transport: what carries requests; nil for the network.
  /// - Throws: `S3Error` for a property that makes no sense, or keys that are not there.
  public static func make(
    properties: [String: String], environment: Environment = .system,
    signing: (any S3Signing)? = nil, transport: (any HTTPTransport)? = nil
  ) throws(S3Error) -> S3Store {
    let options = try S3Options(properties: properties)
    let given: any S3Signing
    if let signing { given = signing } else { given = try Self.signing(properties) }
    return S3Store(
      options, signing: given,
      transport: transport ?? NetworkTransport(), environment: environment)
  }

  private static func signing(
    _ properties: [String: String]
  ) throws(S3Error) -> any S3Signing {
    if properties["s3.anonymous"]?.lowercased() == "true" { return Anonymous() }
    guard let id = properties["s3.access-key-id"], !id.isEmpty,
      let key = properties["s3.secret-access-key"], !key.isEmpty
    else {
      throw .noCredentials(
        reason: "s3.access-key-id and s3.secret-access-key are not set", isTransient: false)
    }
    return FixedKeys(
      AWSCredentials(
        accessKeyID: id, secretAccessKey: Secret(key),
        sessionToken: properties["s3.session-token"].flatMap { $0.isEmpty ? nil : Secret($0) }))
  }
}
