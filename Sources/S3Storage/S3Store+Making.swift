// SPDX-License-Identifier: Apache-2.0
internal import Network
public import Storage

extension S3Store {
  /// A store as `properties` describe it: those of `S3Options`, and for who asks those of
  /// `RefreshingCredentials.chain`, or `s3.anonymous`.
  ///
  /// What the properties leave out is looked for when the first request is signed: in variables,
  /// profiles, and what a container or machine is given.
  ///
  /// - Parameters:
  ///   - signing: who proves who asks; nil for what the properties tell.
  ///   - transport: what carries requests; nil for the network.
  /// - Throws: `S3Error` for a property that makes no sense.
  public static func make(
    properties: [String: String], environment: Environment = .system,
    signing: (any S3Signing)? = nil, transport: (any HTTPTransport)? = nil
  ) throws(S3Error) -> S3Store {
    let options = try S3Options(properties: properties)
    let transport = transport ?? NetworkTransport()
    let given: any S3Signing
    if let signing {
      given = signing
    } else if properties["s3.anonymous"]?.lowercased() == "true" {
      given = Anonymous()
    } else {
      given = ProvidedKeys(
        RefreshingCredentials.chain(
          .ofProcess(properties: properties, transport: transport, environment: environment)))
    }
    return S3Store(options, signing: given, transport: transport, environment: environment)
  }
}
