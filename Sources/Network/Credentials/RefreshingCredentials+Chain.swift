// SPDX-License-Identifier: Apache-2.0

extension RefreshingCredentials {
  /// Credentials from the first of these that has some: the properties (`s3.access-key-id`,
  /// `s3.secret-access-key`, `s3.session-token`), the profile if one is asked for by the property
  /// `s3.profile-name`, the variables (`AWS_ACCESS_KEY_ID` …), a web identity
  /// (`AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`), the profile (`AWS_PROFILE`, or `default`), the
  /// container's agent, the instance's metadata.
  public static func chain(_ context: CredentialsContext) -> RefreshingCredentials {
    let profile = ProfileSource(context: context)
    let isProfileFirst = context.property("s3.profile-name", "client.profile-name") != nil
    var sources: [any CredentialsSource] = [PropertySource(context: context)]
    if isProfileFirst { sources.append(profile) }
    sources += [VariableSource(context: context), WebIdentitySource(context: context)]
    if !isProfileFirst { sources.append(profile) }
    sources += [ContainerSource(context: context), InstanceSource(context: context)]
    return RefreshingCredentials(sources, environment: context.environment)
  }
}
