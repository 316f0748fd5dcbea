// SPDX-License-Identifier: Apache-2.0
internal import NIOSSL

/// Whom a connection over TLS trusts.
///
/// Names and certificates are always checked, and nothing older than TLS 1.2 is spoken; there is no
/// way to switch that off. A server with a certificate of its own is reached by naming the CA.
public struct TLSOptions: Hashable, Sendable {
  /// A file of certificates (PEM) that are trusted instead of the machine's; nil for the machine's.
  public var caFile: String?

  public init(caFile: String? = nil) { self.caFile = caFile }

  func configuration() throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = .fullVerification
    if let caFile {
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
    }
    return configuration
  }
}
