// SPDX-License-Identifier: Apache-2.0

/// Which region requests are for.
public enum AWSRegion {
  /// The first of: the properties `s3.region` and `client.region`, the variables `AWS_REGION` and
  /// `AWS_DEFAULT_REGION`, the profile's `region`, and `us-east-1`.
  public static func resolve(_ context: CredentialsContext) -> String {
    named(context) ?? "us-east-1"
  }

  /// As ``resolve(_:)``, but nil where nothing names a region.
  public static func named(_ context: CredentialsContext) -> String? {
    context.property("s3.region", "client.region")
      ?? context.setVariable("AWS_REGION", "AWS_DEFAULT_REGION")
      ?? AWSProfile(of: context)?["region"]
  }
}
