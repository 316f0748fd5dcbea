// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Credentials among the properties of a catalog or store.
struct PropertySource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the properties s3.access-key-id and s3.secret-access-key" }

  func load() async throws(CredentialsError) -> AWSCredentials? {
    let id = context.property("s3.access-key-id", "client.access-key-id")
    let secret = context.property("s3.secret-access-key", "client.secret-access-key")
    guard id != nil || secret != nil else { return nil }
    guard let id else { throw .incomplete(source: "the properties", missing: "s3.access-key-id") }
    guard let secret else {
      throw .incomplete(source: "the properties", missing: "s3.secret-access-key")
    }
    let expiration = context.property("s3.session-token-expires-at-ms").flatMap { Int64($0) }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: Secret(secret),
      sessionToken: context.property("s3.session-token", "client.session-token").map(Secret.init),
      expiration: expiration.map { Timestamp(milliseconds: $0) })
  }
}

/// Credentials among the variables of the process.
struct VariableSource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" }

  func load() async throws(CredentialsError) -> AWSCredentials? {
    let id = context.setVariable("AWS_ACCESS_KEY_ID")
    let secret = context.setVariable("AWS_SECRET_ACCESS_KEY")
    guard id != nil || secret != nil else { return nil }
    guard let id else { throw .incomplete(source: "the variables", missing: "AWS_ACCESS_KEY_ID") }
    guard let secret else {
      throw .incomplete(source: "the variables", missing: "AWS_SECRET_ACCESS_KEY")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: Secret(secret),
      sessionToken: context.setVariable("AWS_SESSION_TOKEN").map(Secret.init))
  }
}

/// The profile in `~/.aws/credentials` and `~/.aws/config`.
struct ProfileSource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the profile '\(AWSProfile.name(in: context).name)'" }

  func load() async throws(CredentialsError) -> AWSCredentials? {
    let (profileName, isAskedFor) = AWSProfile.name(in: context)
    let source = "profile '\(profileName)'"
    guard let profile = AWSProfile(of: context) else {
      if isAskedFor { throw .invalid(source: source, reason: "there is no such profile") }
      return nil
    }
    let id = profile["aws_access_key_id"]
    let secret = profile["aws_secret_access_key"]
    if let id, let secret {
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: Secret(secret),
        sessionToken: profile["aws_session_token"].map(Secret.init))
    }
    if id != nil { throw .incomplete(source: source, missing: "aws_secret_access_key") }
    if secret != nil { throw .incomplete(source: source, missing: "aws_access_key_id") }
    if let file = profile["web_identity_token_file"], let role = profile["role_arn"] {
      return try await WebIdentity(
        context: context, tokenFile: file, role: role, session: profile["role_session_name"]
      ).credentials()
    }
    for (key, what) in Self.elsewhere where profile[key] != nil {
      throw .unsupported(
        source: source, what: what,
        instead: "put what `aws configure export-credentials --format env` prints into the "
          + "environment")
    }
    if isAskedFor { throw .incomplete(source: source, missing: "aws_access_key_id") }
    return nil
  }

  /// Ways to credentials that need a browser, another program or another profile.
  private static let elsewhere = [
    ("credential_process", "a program's output (credential_process)"),
    ("sso_session", "single sign-on (sso_session)"),
    ("sso_start_url", "single sign-on (sso_start_url)"),
    ("source_profile", "a role by way of another profile (source_profile)"),
    ("credential_source", "a role by way of other credentials (credential_source)"),
  ]
}
